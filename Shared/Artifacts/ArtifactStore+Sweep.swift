import Foundation
import Messages

/// What a sweep did, or would do.
package struct SweepReport: Sendable, Hashable {
    /// Artifacts that are there, what was set aside of damaged ones too, and their bytes.
    package var artifacts = 0
    package var bytes: Int64 = 0
    /// Those that nobody needs, oldest first: the ones taken away, or to be.
    package var removed: [StoredArtifact] = []
    package var removedBytes: Int64 = 0
    /// Those that nobody refers to, but that are too young.
    package var young = 0
    /// Uploads and temporary files that were never finished.
    package var unfinished = 0
    /// There are more than one sweep takes: ask again.
    package var more = false

    package init() {}
}

extension ArtifactStore {
    /// The shortest time that an artifact is kept without a reference: whoever stores one refers to it later.
    package static let shortestGrace = Duration.seconds(2 * 3600)

    /// Everything that is here, and its bytes.
    package func list(_ visit: @Sendable ([StoredArtifact]) async throws -> Void) async throws {
        try await place.list(visit)
    }

    /// Takes away what is older than `grace` and nobody refers to.
    ///
    /// Who refers to what is asked after the artifacts were listed, and each one's age is looked at again before it is
    /// removed, while nobody can store it: what is stored anew at the same time stays.
    /// - Parameters:
    ///   - most: no more than so many are removed, and named.
    ///   - references: of everybody who may refer to an artifact; an error ends the sweep before anything is removed.
    package func sweep(
        grace: Duration, now: Timestamp, dryRun: Bool, most: Int = 1000,
        references: @Sendable () async throws -> ReferenceSet
    ) async throws -> SweepReport {
        let limit = now.advanced(by: .zero - max(grace, Self.shortestGrace))
        let listed = Listed()
        try await place.list { await listed.add($0) }
        let damaged = try await place.damaged()
        await listed.add(damaged)
        let known = try await references()
        var report = SweepReport()
        (report.artifacts, report.bytes) = (await listed.all.count, await listed.bytes)
        let unneeded = await listed.all.filter { !known.contains($0.digest) }
        report.young = unneeded.count { $0.modified >= limit }
        let old = unneeded.filter { $0.modified < limit }.sorted { $0.modified < $1.modified }
        report.more = old.count > most
        for artifact in old.prefix(most) {
            if dryRun {
                report.removed.append(artifact)
            } else if try await removeUnlessYoung(artifact, limit) {
                report.removed.append(artifact)
            }
        }
        report.removedBytes = report.removed.reduce(0) { $0 + $1.size }
        report.unfinished = try await place.removeUnfinished(before: limit, dryRun: dryRun)
        report.unfinished += try await removeTemporary(before: limit, dryRun: dryRun)
        return report
    }

    private func removeUnlessYoung(_ artifact: StoredArtifact, _ limit: Timestamp) async throws -> Bool {
        let lock = try await SweepLock.take(lockPath, .alone)
        defer { withExtendedLifetime(lock) {} }
        if artifact.isDamaged { return try await place.removeDamaged(artifact.digest, before: limit) }
        guard let found = try await place.find(artifact.digest), found.modified < limit else { return false }
        try await place.remove(artifact.digest)
        return true
    }

    /// Left by processes that died.
    private func removeTemporary(before limit: Timestamp, dryRun: Bool) async throws -> Int {
        let folder = temporaryFolder
        return try await queue.run {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            var count = 0
            for name in names {
                var status = stat()
                guard stat("\(folder)/\(name)", &status) == 0,
                    Int64(status.st_mtim.tv_sec) * 1000 < limit.milliseconds
                else { continue }
                count += 1
                if !dryRun { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
            }
            return count
        }
    }

    private actor Listed {
        private(set) var all: [StoredArtifact] = []

        func add(_ some: [StoredArtifact]) { all += some }
        var bytes: Int64 { all.reduce(0) { $0 + $1.size } }
    }
}
