import Artifacts
import Foundation
import Hummingbird
import Logging
import Messages
import ServiceKit

/// The artifact store: what is in it, and what nobody needs any more.
extension API {
    func addArtifacts(_ routes: Routes) {
        routes.get("/artifacts") { _ in
            let count = ArtifactCount()
            try await artifacts.list { await count.add($0) }
            let newest = await count.newest
            return Reply([
                "place": .string(artifacts.address), "artifacts": .int(await count.artifacts),
                "bytes": .int(Int(await count.bytes)), "items": .array(newest.map(Self.text)), "next": .null,
            ])
        }
        routes.post("/artifacts/sweep", .admin) { call in
            let dryRun = call.body["dryRun"]?.bool ?? true
            let hours = call.body["graceHours"]?.double ?? 24
            guard hours >= 2, hours <= 24 * 3650 else {
                throw Refusal(
                    400, "artifacts younger than two hours are never removed: whoever stores one refers to it later",
                    hint: "send 'graceHours' of 2 or more")
            }
            do {
                let report = try await artifacts.sweep(
                    grace: .seconds(hours * 3600), now: Timestamp(Date()), dryRun: dryRun, references: references)
                if !dryRun, !report.removed.isEmpty {
                    let removed = "\(report.removed.count) artifacts, \(report.removedBytes) bytes"
                    logger.notice("\(call.person.actor) had what nobody refers to removed: \(removed)")
                }
                return Reply(Self.text(report, dryRun: dryRun))
            } catch let error as SuiteReferences.Unknown {
                throw Refusal(503, "\(error)", hint: "'martlet status' shows how it is; ask again when it is ready")
            } catch let error as ArtifactError {
                throw Refusal(502, "\(error)", hint: "what was removed stays removed, the rest is as before")
            }
        }
    }

    private static func text(_ artifact: StoredArtifact) -> JSONValue {
        [
            "digest": .string(artifact.digest.text), "size": .int(Int(artifact.size)),
            "stored": .string(artifact.modified.text),
        ]
    }

    private static func text(_ report: SweepReport, dryRun: Bool) -> JSONValue {
        [
            "dryRun": .bool(dryRun), "artifacts": .int(report.artifacts), "bytes": .int(Int(report.bytes)),
            "removed": .int(report.removed.count), "removedBytes": .int(Int(report.removedBytes)),
            "young": .int(report.young), "unfinished": .int(report.unfinished), "more": .bool(report.more),
            "items": .array(report.removed.prefix(100).map(text)),
        ]
    }
}

/// The newest of all artifacts, and how many there are.
private actor ArtifactCount {
    private static let most = 100

    private(set) var artifacts = 0
    private(set) var bytes: Int64 = 0
    private(set) var newest: [StoredArtifact] = []

    func add(_ some: [StoredArtifact]) {
        artifacts += some.count
        bytes += some.reduce(0) { $0 + $1.size }
        newest = Array((newest + some).sorted { $0.modified > $1.modified }.prefix(Self.most))
    }
}
