import GRDB
import Messages

let outcomeProjections: [Projection] = [
    .on(TriggerMatched.self) { body, envelope, db in
        try db.run(
            verdict,
            [
                body.cause, body.project, body.pipeline, shortEventName(body.causeType), "matched", "matched",
                body.reason, body.run,
                envelope.time.text, envelope.id,
            ])
    },
    .on(TriggerIgnored.self) { body, envelope, db in
        try db.run(
            verdict,
            [
                body.cause, body.project, body.pipeline, shortEventName(body.causeType), "ignored", body.code,
                body.reason, nil,
                envelope.time.text, envelope.id,
            ])
    },
    .on(DeadLetterCreated.self) { body, envelope, db in
        try db.run(
            """
            INSERT INTO dead_letters (id, service, source, epoch, seq, event, type, key, reason, attempts, state, created)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?)
            ON CONFLICT (id) DO UPDATE SET state = 'waiting', reason = excluded.reason, attempts = excluded.attempts,
            closed = NULL, by = NULL
            """,
            [
                body.letter, body.service, body.source, body.epoch, body.seq, body.event,
                body.type.map(shortEventName), body.key, body.reason, body.attempts, envelope.time.text,
            ])
    },
    .on(DeadLetterClosed.self) { body, envelope, db in
        try db.run(
            "UPDATE dead_letters SET state = ?, closed = ?, by = ? WHERE id = ?",
            [body.result, envelope.time.text, body.by, body.letter])
        try db.answer(envelope.causationid, accepted: true, reason: body.result, by: envelope)
    },
    .on(LogCommandAnswered.self) { body, envelope, db in
        try db.answer(body.command, accepted: body.accepted, reason: body.reason, by: envelope)
    },
    .on(ForkReleased.self) { body, envelope, db in
        try db.answer(envelope.causationid, accepted: true, reason: body.note, by: envelope)
    },
    .on(NotificationSent.self) { body, envelope, db in
        try db.run(
            notification,
            [body.notification, body.event, body.recipient, "sent", body.attempts, nil, envelope.time.text])
        try db.answer(body.event, accepted: true, reason: "sent to \(body.recipient)", by: envelope)
    },
    .on(NotificationFailed.self) { body, envelope, db in
        try db.run(
            notification,
            [
                body.notification, body.event, body.recipient, "failed", body.attempts, body.reason,
                envelope.time.text,
            ])
        try db.answer(body.event, accepted: false, reason: "\(body.recipient): \(body.reason)", by: envelope)
    },
    .on(CommandAnswered.self) { body, envelope, db in
        try db.answer(body.command, accepted: body.accepted, reason: body.reason, run: body.run, by: envelope)
    },
    .on(ModelCommandAnswered.self) { body, envelope, db in
        try db.answer(body.command, accepted: body.accepted, reason: body.reason, by: envelope)
    },
    .on(NotifierCommandAnswered.self) { body, envelope, db in
        try db.answer(body.command, accepted: body.accepted, reason: body.reason, by: envelope)
    },
    .on(DeployerCommandAnswered.self) { body, envelope, db in
        try db.answer(body.command, accepted: body.accepted, reason: body.reason, by: envelope)
    },
]

/// The first verdict stands, unless it was that the cause waits for others: then there comes another.
private let verdict = """
    INSERT INTO verdicts (cause, project, pipeline, cause_type, verdict, code, reason, run, time, event)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (cause, project, pipeline) DO UPDATE SET verdict = excluded.verdict, code = excluded.code,
    reason = excluded.reason, run = excluded.run, time = excluded.time, event = excluded.event
    WHERE verdicts.code = 'waiting'
    """

private let notification = """
    INSERT OR REPLACE INTO notifications (id, event, recipient, state, attempts, reason, time)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    """
