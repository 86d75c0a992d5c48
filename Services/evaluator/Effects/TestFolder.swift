import Artifacts
import Foundation
import Messages
import Processes
import Store

/// Where the tests of one work item run: a copy of the commit, the model under test, and how the command ended.
struct TestFolder: Sendable {
    let root: String

    init(work: String, item: String) {
        // Names of jobs and steps come from project files: only plain letters become part of a path.
        let name = item.utf8.map { byte in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
            return isPlain ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16)
        }.joined()
        root = "\(work)/tests/\(name)"
    }

    var copy: String { root + "/copy" }
    var model: String { root + "/model" }
    var exitRecord: ExitRecord { ExitRecord(path: root + "/exit") }

    /// When the command began; `nil` while it has not.
    var started: Date? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: exitRecord.path + ".started")
        return attributes?[.modificationDate] as? Date
    }

    func remove() { try? FileManager.default.removeItem(atPath: root) }

    /// Makes the folder anew: what an earlier attempt left half-done is not built upon.
    func prepare(snapshot: Digest?, model: Digest?, report: String, artifacts: ArtifactStore) async throws {
        remove()
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        if let snapshot {
            try await artifacts.extract(snapshot, to: copy, keepingLinks: true)
        } else {
            try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        }
        if let model { try await artifacts.extract(model, to: self.model) }
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
