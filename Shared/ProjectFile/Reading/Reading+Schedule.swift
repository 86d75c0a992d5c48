import Foundation
import Messages

extension Reading {
    static let scheduleKeys = ["cron", "timezone", "catch_up"]

    /// `schedule: "0 9 * * *"`, or `{cron, timezone, catch_up}`.
    func schedule(_ tree: Tree) -> Trigger? {
        if tree.text != nil, !tree.isEmpty {
            return cron(tree).map { .schedule(Schedule(cron: $0, timeZone: "UTC", catchUp: .last)) }
        }
        guard let fields = fields(tree, of: "'schedule'", keys: Self.scheduleKeys) else { return nil }
        guard let cronTree = fields["cron"] else {
            fail(fields.place, "'schedule' needs 'cron'")
            return nil
        }
        let zone = timeZone(fields["timezone"]) ?? "UTC"
        let catchUp = word(fields["catch_up"], "'catch_up'", Schedule.CatchUp.self) ?? .last
        return cron(cronTree).map { .schedule(Schedule(cron: $0, timeZone: zone, catchUp: catchUp)) }
    }

    private func cron(_ tree: Tree) -> Cron? {
        guard let text = fixedText(tree, "'cron'") else { return nil }
        do {
            return try Cron(text)
        } catch {
            fail(tree.place, error.message)
            return nil
        }
    }

    private func timeZone(_ tree: Tree?) -> String? {
        guard let tree, let name = fixedText(tree, "'timezone'") else { return nil }
        let known = TimeZone.knownTimeZoneIdentifiers + ["UTC"]
        if known.contains(name) || name.contains("/") && TimeZone(identifier: name) != nil { return name }
        let hint =
            nearest(to: name, among: known).map { "; did you mean '\($0)'?" } ?? "; take one such as Europe/Prague"
        fail(tree.place, "there is no time zone '\(name)'\(hint)")
        return nil
    }
}
