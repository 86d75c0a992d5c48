import GRDB
import Messages

let deploymentProjections: [Projection] = [
    .on(DeploymentStarted.self) { body, envelope, db in
        try db.run(
            """
            INSERT INTO deployments (id, endpoint, target, model, version, run, state, started)
            VALUES (?, ?, ?, ?, ?, ?, 'running', ?)
            ON CONFLICT (id) DO UPDATE SET state = 'running', message = NULL, finished = NULL
            """,
            [
                body.deployment, body.endpoint, body.target, body.model, body.version, body.run, envelope.time.text,
            ])
    },
    .on(DeploymentFinished.self) { body, envelope, db in
        try db.run(
            "UPDATE deployments SET state = ?, message = ?, scoring_url = ?, finished = ? WHERE id = ?",
            [body.outcome.rawValue, body.message, body.scoringURL, envelope.time.text, body.deployment])
    },
    .on(DeploymentRolledBack.self) { body, envelope, db in
        try db.run(
            "UPDATE deployments SET state = 'rolled_back', message = ?, finished = ? WHERE id = ?",
            [body.reason, envelope.time.text, body.deployment])
    },
    .on(SmokeTestFinished.self) { body, _, db in
        try db.run(
            "UPDATE deployments SET smoke_test = ? WHERE id = ?",
            ["\(body.outcome.rawValue): \(body.message)", body.deployment])
    },
    .on(EndpointChanged.self) { body, envelope, db in
        try db.run(
            """
            INSERT INTO endpoints (name, url, model, version, deployment, state, changed)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET url = excluded.url, model = excluded.model, version = excluded.version,
                deployment = excluded.deployment, state = excluded.state, changed = excluded.changed
            """,
            [body.endpoint, body.url, body.model, body.version, body.deployment, body.state, envelope.time.text])
    },
    .on(DeploymentDrifted.self) { body, _, db in
        try db.run("UPDATE endpoints SET drift = ? WHERE name = ?", [body.reason, body.endpoint])
    },
    .on(DeploymentSettled.self) { body, _, db in
        try db.run("UPDATE endpoints SET drift = NULL WHERE name = ?", [body.endpoint])
    },
]
