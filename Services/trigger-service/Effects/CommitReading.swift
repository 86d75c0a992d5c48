import Artifacts
import Foundation
import Messages
import ServiceKit
import Store

/// Reads what a cause or a run needs of a commit; each may be repeated after a crash with the same end.
struct CommitReading: Sendable {
    let mirrors: Mirrors
    let dispatcher: Dispatcher
    let store: StateStore
    let artifacts: ArtifactStore
    /// Where archives are written before they are stored.
    let scratch: String

    var effects: [String: Effect] {
        [IntentKind.read: { await read($0) }, IntentKind.snapshot: { await snapshot($0) }]
    }

    /// The project files of a cause's commit, then its verdicts.
    private func read(_ intent: Intent) async -> EffectOutcome {
        do {
            return try await read(try intent.decode(ReadRequest.self))
        } catch {
            return .later(reason: "\(error)")
        }
    }

    private func read(_ request: ReadRequest) async throws -> EffectOutcome {
        let dispatcher = dispatcher
        do {
            let mirror = mirrors[request.repository]
            guard let sha = try await find(request.sha, in: mirror, of: request.repository) else {
                let reason =
                    "the repository '\(request.repository)' has no commit \(request.sha) on a branch or a tag that is known"
                    + " here"
                return .never(reason: reason) { transaction in
                    try dispatcher.giveUp(request.cause, code: "no_commit", reason: reason, transaction)
                }
            }
            if request.isNamed == true, try await !isOurs(sha, in: mirror, of: request.repository) {
                let reason =
                    "commit \(sha.prefix(12)) is on no branch and no tag of the repository '\(request.repository)', but of a"
                    + " pull request alone or left behind; push it to a branch to run it"
                return .never(reason: reason) { transaction in
                    try dispatcher.giveUp(request.cause, code: "not_on_branch", reason: reason, transaction)
                }
            }
            let files = try await mirror.projectFiles(of: sha, repository: request.repository)
            let message = try await mirror.commit(sha).message
            let digest = files.isEmpty ? nil : Digest(of: try Wire.encode(files)).text
            return .done { transaction in
                try transaction.remember(
                    repository: request.repository, sha: sha, digest: digest, files: files, message: message)
                guard var cause = try transaction.waitingCause(request.cause) else { return }
                cause.git?.sha = sha
                try dispatcher.filesAreKnown(cause, transaction)
            }
        } catch let refusal as Refusal {
            return .never(reason: refusal.reason) { transaction in
                try dispatcher.giveUp(request.cause, code: "project_rejected", reason: refusal.reason, transaction)
            }
        }
    }

    /// The full name of a commit that is in our copy, or comes there with another fetch.
    private func find(_ name: String, in mirror: Mirror, of repository: String) async throws -> String? {
        if FileManager.default.fileExists(atPath: mirror.path), let sha = try await mirror.resolve(name) { return sha }
        guard try await fetch(mirror, of: repository) else { return nil }
        return try await mirror.resolve(name)
    }

    /// Whether somebody who may push here has put the commit on a branch or a tag, as far as is known or after another fetch.
    private func isOurs(_ sha: String, in mirror: Mirror, of repository: String) async throws -> Bool {
        if try await mirror.isOnBranch(sha, orTag: true) { return true }
        guard try await fetch(mirror, of: repository) else { return false }
        return try await mirror.isOnBranch(sha, orTag: true)
    }

    /// `false`: nobody watches the repository any more.
    private func fetch(_ mirror: Mirror, of repository: String) async throws -> Bool {
        guard let known = try await store.read({ try RepositoryQueries.repository(repository, in: $0) }) else {
            return false
        }
        try await mirror.fetch(from: try RepositoryAddress(known.url))
        return true
    }

    /// The commit's files as an archive in the artifact store, once for all its runs.
    private func snapshot(_ intent: Intent) async -> EffectOutcome {
        let dispatcher = dispatcher
        do {
            let commit = try intent.decode(SnapshotRequest.self)
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
            let file = "\(scratch)/\(commit.repository)-\(commit.sha).tar"
            defer { try? FileManager.default.removeItem(atPath: file) }
            try await mirrors[commit.repository].archive(commit.sha, to: file)
            let digest = try await artifacts.put(file: file)
            return .done { transaction in
                try transaction.setSnapshot(digest, repository: commit.repository, sha: commit.sha)
                try dispatcher.admit(transaction)
            }
        } catch {
            return .later(reason: "\(error)")
        }
    }
}
