import Messages

/// An approval as people read it: what exactly is agreed to, and who said what.
enum ApprovalText {
    static func whole(_ approval: JSONValue) -> String {
        let asked = requesters(approval).joined(separator: ", ")
        var lines = [
            "approval   \(approval.text("id"))   \(approval.text("state"))",
            "for        \(approval.text("environment")): job \(approval.text("job")) of"
                + " \(approval.text("project"))/\(approval.text("pipeline")), run \(approval.text("run"))",
            "about      \(subject(approval))",
            "asked for  \(asked) at \(approval.time("requested")), expires \(approval.time("expires"))",
            "needs      \(approval.text("required")) (\(approval.text("given")) so far) of \(people(approval))",
        ]
        for answer in approval["answers"]?.array ?? [] {
            lines.append("approved   by \(answer.text("by")) at \(answer.time("time"))\(quoted(answer["comment"]))")
        }
        if let by = approval["by"]?.string {
            lines.append(
                "\(approval.text("state")) by \(by) at \(approval.time("finished"))\(quoted(approval["comment"]))")
        }
        lines += rollback(approval)
        return lines.joined(separator: "\n").printable
    }

    static func standing(_ approval: JSONValue) -> String {
        let state = approval.text("state")
        return state == "waiting" ? "waiting, \(approval.text("given")) of \(approval.text("required")) given" : state
    }

    /// All who set off the run.
    static func requesters(_ approval: JSONValue) -> [String] {
        [approval.text("requester")] + (approval["otherRequesters"]?.array ?? []).compactMap(\.string)
    }

    private static func subject(_ approval: JSONValue) -> String {
        let version = approval["version"]?.scalarText.map { "\(approval.text("model"))/\($0)" } ?? "no version"
        return version + (approval["decision"]?.string.map { ", decision \($0)" } ?? "")
    }

    private static func people(_ approval: JSONValue) -> String {
        let from = (approval["from"]?.array ?? []).compactMap(\.string)
        let list = from.isEmpty ? "anybody who may approve" : from.joined(separator: ", ")
        if approval["requesterMayApprove"]?.bool == true { return list }
        return list + (requesters(approval).count > 1 ? ", but none of the requesters" : ", but not the requester")
    }

    private static func rollback(_ approval: JSONValue) -> [String] {
        (approval["rollback"]?.array ?? []).compactMap(\.string).map {
            "it was deployed before: 'martlet endpoints rollback \($0)' takes that back"
        }
    }

    private static func quoted(_ comment: JSONValue?) -> String {
        comment?.string.map { $0.isEmpty ? "" : ": “\($0)”" } ?? ""
    }
}
