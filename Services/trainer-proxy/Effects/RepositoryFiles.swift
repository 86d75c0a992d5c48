import Foundation
import ProjectFile
import ServiceKit

/// Files of a job's working copy, found by patterns; nothing outside of it is ever read.
struct RepositoryFiles: Sendable {
    static let largestDefinition = 1 << 20
    let root: String

    /// Sorted.
    /// - Throws: where a pattern matches nothing, which is a mistake.
    func matching(_ patterns: [String]) throws -> [String] {
        var found: Set<String> = []
        let all = try FileManager.default.subpathsOfDirectory(atPath: root)
        for pattern in patterns {
            guard PathName.inside(pattern.replacing("*", with: "x")) != nil else {
                throw StepFailure("'\(pattern)' leads out of the repository")
            }
            let glob = Glob(pattern.hasPrefix("./") ? String(pattern.dropFirst(2)) : pattern)
            let matches = all.filter { glob.matches($0) && isFile($0) }
            guard !matches.isEmpty else { throw StepFailure("no file of the repository matches '\(pattern)'") }
            found.formUnion(matches)
        }
        return found.sorted()
    }

    /// Every file, sorted.
    func all() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root).filter(isFile).sorted()
    }

    /// A copy of a file, in place of what is there; never through a link that leads out.
    func put(file: String, at path: String) throws {
        let target = root + "/" + path
        let folder = (target as NSString).deletingLastPathComponent
        let inside = URL(fileURLWithPath: root).resolvingSymlinksInPath().path
        let resolved = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        guard resolved == inside || resolved.hasPrefix(inside + "/") else {
            throw StepFailure("'\(path)' goes through a link that leads out of the working copy")
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.copyItem(atPath: file, toPath: target)
    }

    func text(_ path: String) throws -> String {
        guard let place = place(path), let size = Self.size(place), size <= Self.largestDefinition,
            let bytes = FileManager.default.contents(atPath: place)
        else { throw StepFailure("\(path): there is no such file in the repository, or it is too large") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The absolute path of what is there, links resolved; `nil` where nothing is, or it lies outside.
    func place(_ path: String) -> String? {
        guard let inside = PathName.inside(path) else { return nil }
        let place = URL(fileURLWithPath: root + "/" + inside).resolvingSymlinksInPath().path
        let folder = URL(fileURLWithPath: root).resolvingSymlinksInPath().path + "/"
        return place.hasPrefix(folder) && FileManager.default.fileExists(atPath: place) ? place : nil
    }

    /// Bytes of a file, links followed; `nil` for what is none. Asked before anything is opened that code of a project
    /// has made: whoever opens a pipe waits for its writer, and a file may be larger than the memory.
    static func size(_ path: String) -> Int? {
        let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: place),
            attributes[.type] as? FileAttributeType == .typeRegular
        else { return nil }
        return attributes[.size] as? Int
    }

    private func isFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        guard let place = place(path) else { return false }
        return FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) && !isFolder.boolValue
    }
}
