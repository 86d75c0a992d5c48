import Artifacts
import Foundation
import Messages

/// Where a step works.
struct StepFolders: Sendable, Hashable {
    /// The commit's files, shared by the steps of a job.
    var source: String
    /// `MARTLET_OUTPUT`.
    var output: String
    /// Data sets, shared by the steps of a job.
    var data: String
    /// Script, raw output and exit record: what a restart of ours finds again.
    var record: String
}

/// The folders `<data>/work/<run>/<job>`: made for the first step of a job, removed some time after the run.
actor WorkingCopies {
    private let root: String
    private let artifacts: ArtifactStore
    private var users: [String: Int] = [:]
    private var extracting: [String: Task<Void, any Error>] = [:]

    init(root: String, artifacts: ArtifactStore) {
        self.root = root
        self.artifacts = artifacts
    }

    /// Keeps the run's folders in place until `leave`.
    func enter(_ work: StepWork) { users[work.run.id, default: 0] += 1 }

    func leave(_ work: StepWork) {
        let left = users[work.run.id, default: 1] - 1
        users[work.run.id] = left > 0 ? left : nil
    }

    func prepare(_ work: StepWork) async throws -> StepFolders {
        let job = folder(of: work.run.id) + "/" + PathName.part(work.job)
        let step = "\(PathName.part(work.step))-\(work.attempt)"
        let folders = StepFolders(
            source: job + "/source", output: "\(job)/out/\(step)", data: job + "/data", record: "\(job)/steps/\(step)")
        for path in [folders.output, folders.record] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        try await extract(work.run.snapshot, to: folders.source)
        return folders
    }

    /// `false` while a step of the run is at work.
    func remove(run: String) throws -> Bool {
        guard users[run] == nil else { return false }
        let path = folder(of: run)
        guard FileManager.default.fileExists(atPath: path) else { return true }
        try FileManager.default.removeItem(atPath: path)
        return true
    }

    private func folder(of run: String) -> String { root + "/" + PathName.part(run) }

    private func extract(_ snapshot: Digest?, to source: String) async throws {
        if let running = extracting[source] { return try await running.value }
        guard !FileManager.default.fileExists(atPath: source) else { return }
        guard let snapshot else {
            return try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
        }
        // Not a child: a step that is canceled must not take the copy away from its neighbour.
        let task = Task { [artifacts] in try await artifacts.extract(snapshot, to: source, keepingLinks: true) }
        extracting[source] = task
        defer { extracting[source] = nil }
        try await task.value
    }
}
