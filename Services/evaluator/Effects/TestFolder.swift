import Artifacts
import Foundation
import Messages
import Processes
import ServiceKit
import Store

/// Where a command of one work item runs: a copy of the commit, the model that is looked at, and how it ended.
struct TestFolder: Sendable {
    let root: String

    init(work: String, item: String) { root = "\(work)/tests/\(Self.name(item))" }

    /// Names of jobs and steps come from project files: only plain letters become part of a path.
    private static func name(_ item: String) -> String {
        item.utf8.map { byte in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
            return isPlain ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16)
        }.joined()
    }

    /// The folders that there are of parts of a work item.
    static func roots(below item: String, work: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: work + "/tests")) ?? []
        return names.filter { $0.hasPrefix(name(item + "/")) }.sorted().map { "\(work)/tests/\($0)" }
    }

    var copy: String { root + "/copy" }
    var model: String { root + "/model" }
    var output: String { root + "/output" }
    var dataset: String { root + "/dataset" }
    var exitRecord: ExitRecord { ExitRecord(path: root + "/exit") }

    /// When the command began; `nil` while it has not.
    var started: Date? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: exitRecord.path + ".started")
        return attributes?[.modificationDate] as? Date
    }

    func remove() { try? FileManager.default.removeItem(atPath: root) }

    /// Makes the folder anew: what an earlier attempt left half-done is not built upon.
    func prepare(snapshot: Digest?, model: Digest?, report: String? = nil, artifacts: ArtifactStore) async throws {
        remove()
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        if let snapshot {
            try await artifacts.extract(snapshot, to: copy, keepingLinks: true)
        } else {
            try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        }
        if let model { try await artifacts.extract(model, to: self.model) }
        guard let report else { return }
        // A report that lies in the repository says nothing about this run.
        try checkFolder(of: report)
        let place = URL(fileURLWithPath: copy + "/" + report)
        try? FileManager.default.removeItem(at: place)
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    }

    /// A commit's links may lead anywhere: through them nothing is removed or made.
    private func checkFolder(of report: String) throws(Refusal) {
        let inside = URL(fileURLWithPath: copy).resolvingSymlinksInPath().path + "/"
        var path = copy
        for part in report.split(separator: "/").dropLast() {
            path += "/" + part
            guard (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil else { continue }
            guard URL(fileURLWithPath: path).resolvingSymlinksInPath().path.hasPrefix(inside) else {
                throw Refusal(
                    "with.report.path: '\(report)' goes through a link that leads out of the working copy; "
                        + "name another folder")
            }
        }
    }

    /// A file that the command left in `$MARTLET_OUTPUT`; `nil` where it did not.
    func outputFile(_ name: String, largest: Int) throws(Refusal) -> Data? {
        let path = output + "/" + name
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        guard attributes[.type] as? FileAttributeType == .typeRegular, let size = attributes[.size] as? Int,
            size <= largest, let bytes = FileManager.default.contents(atPath: path)
        else { throw Refusal("\(name) is no file of at most \(largest) bytes") }
        return bytes
    }

    /// The report's bytes, or why there are none.
    func report(_ path: String) throws(JUnitReader.Unreadable) -> Data {
        let place = URL(fileURLWithPath: copy + "/" + path).resolvingSymlinksInPath().path
        let inside = URL(fileURLWithPath: copy).resolvingSymlinksInPath().path + "/"
        guard place.hasPrefix(inside) else {
            throw JUnitReader.Unreadable(description: "the report '\(path)' is a link out of the working copy")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: place)
        guard let size = attributes?[.size] as? Int, attributes?[.type] as? FileAttributeType == .typeRegular else {
            throw JUnitReader.Unreadable(
                description: "the tests wrote no report to '\(path)'; with pytest: python -m pytest --junitxml=\(path)")
        }
        guard size <= JUnitReader.largest, let bytes = FileManager.default.contents(atPath: place) else {
            throw JUnitReader.Unreadable(description: "the report '\(path)' has \(size) bytes and cannot be read")
        }
        return bytes
    }
}
