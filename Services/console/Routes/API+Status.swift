import Foundation
import Hummingbird
import Messages
import ServiceKit
import Store

extension API {
    func addStatus(_ routes: Routes) {
        routes.get("/status") { _ in
            async let services = health()
            let state = try await store.read { db in
                (
                    try ListQueries.counts(db),
                    try ListQueries.repositories(Page(limit: Page.most), db)["items"] ?? [],
                    try ListQueries.approvals(state: "waiting", Page(limit: 20), db)["items"] ?? [],
                    try ListQueries.driftedEndpoints(db)
                )
            }
            return Reply([
                "services": .array(await services), "counts": state.0, "repositories": state.1, "approvals": state.2,
                "drifted": .array(state.3), "backups": backups().map(Self.text) ?? .null,
                "version": .string(MartletVersion.number),
            ])
        }
        addPerson(routes)
    }

    private static func text(_ backups: BackupStatus) -> JSONValue {
        let age = backups.last.flatMap(Timestamp.init).map { Timestamp(Date()).milliseconds - $0.milliseconds }
        let isLate = age.map { Double($0) / 1000 > 2 * backups.everySeconds + 60 } ?? false
        return [
            "folder": .string(backups.folder), "everySeconds": .double(backups.everySeconds),
            "last": backups.last.map { .string($0) } ?? .null, "path": backups.path.map { .string($0) } ?? .null,
            "failure": backups.failure.map { .string($0) } ?? .null, "late": .bool(isLate),
        ]
    }

    private func addPerson(_ routes: Routes) {
        routes.get("/whoami") { call in
            Reply([
                "name": .string(call.person.name), "role": .string(call.person.role.rawValue),
                "groups": .array(call.person.groups.map { .string($0) }),
                "email": call.person.email.map { .string($0) } ?? .null,
            ])
        }
    }
}
