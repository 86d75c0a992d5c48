import Foundation
import GRDB
import Messages

let approvalProjections: [Projection] = [
    .on(ApprovalRequested.self) { body, envelope, db in
        try db.run(
            """
            INSERT OR IGNORE INTO approvals (id, run, job, project, pipeline, environment, required, from_json,
            requester, other_requesters_json, requester_may_approve_json, model, version, decision, state, requested,
            expires)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?)
            """,
            [
                body.approval, body.run, body.job, body.project, body.pipeline, body.environment, body.required,
                try jsonText(body.from), body.requester, try body.otherRequesters.map { try jsonText($0) },
                try jsonText(body.requesterMayApprove), body.model, body.version, body.decision, envelope.time.text,
                body.expires.text,
            ])
    },
    .on(ApprovalGiven.self) { body, envelope, db in
        let answers = try answers(of: body.approval, db)
        let answer: JSONValue = .object([
            "by": .string(body.by), "comment": body.comment.map { .string($0) } ?? .null,
            "time": .string(envelope.time.text),
        ])
        try db.run(
            "UPDATE approvals SET given = ?, answers_json = ? WHERE id = ?",
            [body.given, try jsonText(answers + [answer]), body.approval])
    },
    .on(ApprovalFinished.self) { body, envelope, db in
        try db.run(
            "UPDATE approvals SET state = ?, by = ?, comment = ?, finished = ? WHERE id = ?",
            [body.result.rawValue, body.by, body.comment, envelope.time.text, body.approval])
    },
    .on(ApprovalRevoked.self) { body, envelope, db in
        guard !body.stillWaits else { return try withdraw(body, db) }
        try db.run(
            "UPDATE approvals SET state = 'revoked', by = ?, comment = ?, finished = ?, rollback_json = ? WHERE id = ?",
            [body.by, body.comment, envelope.time.text, try jsonText(body.rollback), body.approval])
    },
    .on(EvaluationDecided.self) { body, envelope, db in
        try db.run(
            """
            INSERT OR IGNORE INTO decisions (event, decision, run, step, model, winner, metric, challenger_value,
            champion_value, champion_version, reason, message, decided, gates_json, advisory_json, bypass_json)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                envelope.id, body.decision, body.run, body.step, body.model, body.winner.rawValue, body.metric,
                body.challenger.value, body.champion?.value, body.champion?.version, body.reason.rawValue,
                body.message, envelope.time.text, try body.gates.map { try jsonText($0) },
                try jsonText(body.advisory ?? false), try body.bypass.map { try jsonText($0) },
            ])
    },
    .on(EvaluationVoided.self) { body, envelope, db in
        try db.run("UPDATE decisions SET voided = ? WHERE decision = ?", [body.reason, body.decision])
    },
    .on(EvaluationCommandAnswered.self) { body, envelope, db in
        try db.answer(body.command, accepted: body.accepted, reason: body.reason, by: envelope)
    },
]

private func answers(of approval: String, _ db: Database) throws -> [JSONValue] {
    let known = try String.fetchOne(
        db.cachedStatement(sql: "SELECT answers_json FROM approvals WHERE id = ?"), arguments: [approval])
    return try Wire.decode([JSONValue].self, from: Data((known ?? "[]").utf8))
}

/// One person's agreement is taken back, and the others' stand.
private func withdraw(_ body: ApprovalRevoked, _ db: Database) throws {
    let left = try answers(of: body.approval, db).filter { $0["by"]?.string != body.by }
    try db.run(
        "UPDATE approvals SET given = ?, answers_json = ? WHERE id = ?",
        [body.given, try jsonText(left), body.approval])
}
