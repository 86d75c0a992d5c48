"""The guards that the promises of docs/operating.md stand on, each with what the code looks like without it.

A guard that moves is moved here too: `make mutants` says so when a text is not found exactly once.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Guard:
    name: str
    file: str
    text: str
    without: str
    # Test targets or suites, as for `swift test --filter`: at least one test in them must fail.
    tests: str
    # For tests that play seeds: of which scenario, and how long.
    scenario: str = ""
    seconds: int = 60


SEEDS = "SimulationTests.SeedTests"
FOLLOWER = "Shared/Bus/FollowerState.swift"
ANSWERS = "Shared/Bus/FollowerState+Answers.swift"
STORE = "Shared/Store"
KIT = "Shared/ServiceKit"
BUS = "Services/event-bus"
TRIGGER = "Services/trigger-service"

GUARDS = [
    Guard(
        "chain check: a record must go on from what was read before", FOLLOWER,
        "guard record.prev == cursor.chain || cursor.chain == .unknown else {",
        "guard record.prev == cursor.chain || record.seq > 0 else {", "BusTests"),
    Guard(
        "cursor compare: what was applied is not applied again", ANSWERS,
        "            if record.seq <= cursor.seq { continue }\n", "", "BusTests"),
    Guard(
        "fork: a log that ends before what was asked", ANSWERS,
        "asked.after > head.last {", "asked.after > head.last, asked.after < 0 {", "BusTests"),
    Guard(
        "fork: a new epoch that goes on from an earlier place", ANSWERS,
        "if cursor.seq > end.seq {", "if cursor.seq > end.seq, end.seq < 0 {", "BusTests"),
    Guard(
        "epoch check: old epochs are over", FOLLOWER,
        "if record.epoch < cursor.epoch { return }", "if record.epoch < 0 { return }", "BusTests"),
    Guard(
        "gap: a live message counts only when it is exactly the next", FOLLOWER,
        "if record.seq == cursor.seq + 1, !isCatchingUp, !isLoading {",
        "if record.seq > cursor.seq, !isCatchingUp, !isLoading {", "BusTests"),
    Guard(
        "epoch parent: an epoch goes on from where the one before it really ended", "Shared/EventLog/Lineage.swift",
        "if cursor.chain != end.chain, cursor.chain != .unknown { return .contradicted(end) }",
        "if cursor.chain != end.chain, cursor.seq < 0 { return .contradicted(end) }", "BusTests"),
    Guard(
        "quarantine: who decides by a log that forked stops until it is released", f"{KIT}/Inbox+Halts.swift",
        "            if goesOn { try", "            if goesOn || fork.seq >= 0 { try", "ServiceKitTests"),
    Guard(
        "quarantine: a fork is told once", f"{KIT}/Inbox+Halts.swift",
        "guard try transaction.halt(fork) else { return }", "_ = try transaction.halt(fork)", "ServiceKitTests"),
    Guard(
        "nothing is published before the bus has said welcome", "Shared/Bus/PublisherState.swift",
        "guard isAnnounced else { return .wait(until: nextHello) }", "", "BusTests"),
    Guard(
        "nothing is published while the bus knows nobody to ask for it", "Shared/Bus/PublisherState.swift",
        "            helloAt = isAnnounced ? now : now + .seconds(1)\n            isAnnounced = false\n",
        "            helloAt = isAnnounced ? now : now + .seconds(1)\n", "BusTests"),
    Guard(
        "topic and header must agree", "Shared/Bus/LiveCheck.swift",
        "guard parsed.kind == head.kind else { throw .mismatch }", "", "BusTests|EventBusTests"),
    Guard(
        "an answer counts only from whom was asked", f"{BUS}/RouterTable.swift",
        "guard open[reply.correlation]?.identity == peer, let entry", "guard let entry", "EventBusTests"),
    Guard(
        "a log older than what the bus heard is refused", f"{BUS}/RouterTable.swift",
        "let known = heads.head(of: source.name), said < known, !(",
        "let known = heads.head(of: source.name), said.last < 0, !(", "EventBusTests"),
    Guard(
        "the bus's own name is nobody else's", f"{BUS}/Forwarder.swift",
        "guard topic.name != Source.eventBus.name else { throw LiveDrop.topic }", "", "EventBusTests"),
    Guard(
        "ACL: an event needs the right to publish it", f"{BUS}/Authority/LiveGate.swift",
        "            guard client.rights.mayPublish(bytes) else { throw .publish }\n            guard EventOwner",
        "            guard EventOwner", "EventBusTests"),
    Guard(
        "ACL: an event type has one source that may write it", f"{BUS}/Authority/LiveGate.swift",
        "            guard EventOwner.may(source, write: type) else { throw .type }\n", "", "EventBusTests"),
    Guard(
        "ACL: a heartbeat is for the log's owner to send", f"{BUS}/Authority/LiveGate.swift",
        "guard client.rights.speaks(for: source) else { throw .publish }", "_ = source", "EventBusTests"),
    Guard(
        "ACL: what a key may not hear is not subscribed to", f"{BUS}/Authority/LiveGate.swift",
        "authority.client(key)?.rights.maySubscribe(to: prefix) ?? false", "prefix.isEmpty || key != nil || !prefix.isEmpty",
        "EventBusTests"),
    Guard(
        "ACL: a question needs the right to ask it", f"{BUS}/RouterTable.swift",
        "guard client.rights.mayAsk(request.method, of: request.target, verbs: verbs) else {",
        "guard client.rights.mayAsk(request.method, of: request.target, verbs: verbs) || !request.method.isEmpty else {",
        "EventBusTests"),
    Guard(
        "ACL: only a log's owner answers for it", f"{BUS}/RouterTable.swift",
        "guard user.rights.speaks(for: source.name), source != .eventBus else {", "guard source != .eventBus else {",
        "EventBusTests"),
    Guard(
        "ACL: who may write some events of a log does not speak for it", "Shared/Bus/Authority/Rights.swift",
        "isPrefix && (bytes.isEmpty || bytes.elementsEqual(", "(bytes.isEmpty || bytes.starts(with: ", "BusTests"),
    Guard(
        "ACL: who may write some events of a log does not say how far it is", f"{BUS}/Forwarder.swift",
        "if header.kind != .telemetry, client.rights.speaks(for: topic.name) {", "if header.kind != .telemetry {",
        "EventBusTests"),
    Guard(
        "revocation: a right that was taken away ends what was being asked by it", f"{BUS}/RouterTable.swift",
        "return rights?.mayAsk(entry.method, of: entry.target, verbs: entry.verbs) != true",
        "return rights?.mayAsk(entry.method, of: entry.target, verbs: entry.verbs) != true && entry.method.isEmpty",
        "EventBusTests"),
    Guard(
        "revocation: the file of keys is read again when it has changed", f"{BUS}/Authority/KeyWatch.swift",
        "guard now != mark else { continue }", "guard now != mark, mark == nil else { continue }", "EventBusTests"),
    Guard(
        "revocation: who may hear less is cut off", f"{BUS}/Authority/LiveGate.swift",
        "        return takes\n", "        return takes && newer.names.isEmpty\n", "EventBusTests"),
    Guard(
        "rate: a client that says too much is not passed on", f"{BUS}/Authority/LiveGate.swift",
        "guard hasRoom else { throw .rate }", "_ = hasRoom", "EventBusTests"),
    Guard(
        "requests: rate", f"{BUS}/RouterTable.swift",
        "guard limits.take(client, now: now) else {",
        "guard limits.take(client, now: now) || client.rights.rate > 0 else {", "EventBusTests"),
    Guard(
        "requests: nobody takes the name of another's connection", f"{BUS}/RequestRouter.swift",
        "guard peer.identity.count == 5, peer.identity.first == 0 else {", "guard !peer.identity.isEmpty else {",
        "EventBusTests"),
    Guard(
        "subscriptions are counted for one life of the feed", f"{BUS}/Forwarder.swift",
        "                life.feed.opened()\n", "", "EventBusTests"),
    Guard(
        "reserved types: nobody outside speaks as Martlet does", f"{TRIGGER}/Routes/OutsideEvent.swift",
        'guard !"\\(type.lowercased()).".hasPrefix("dev.martlet."), !', 'guard !type.isEmpty, !', "TriggerServiceTests"),
    Guard(
        "a fetched event counts only from the log that may say it", f"{KIT}/Inbox.swift",
        "        guard EventOwner.may(log.name, write: envelope.type) else { return false }\n", "", "ServiceKitTests"),
    Guard(
        "an event counts only when it is of its topic's type", f"{KIT}/Inbox.swift",
        '        guard topic == "e/\\(log)/\\(envelope.type)" else { return false }\n', "", "ServiceKitTests"),
    Guard(
        "an event counts only when it is from its topic's log", f"{KIT}/Inbox.swift",
        'return !source.hasPrefix("/martlet/") || source == ', 'return !source.isEmpty || source == ',
        "ServiceKitTests"),
    Guard(
        "ZAP: only known keys come in", f"{BUS}/Authority/ZapDoor.swift",
        ", authority.admits(request.key) {", " {", "EventBusTests"),
    Guard(
        "synchronous=FULL", f"{STORE}/StateStore.swift",
        'PRAGMA synchronous = FULL"', 'PRAGMA synchronous = NORMAL"', SEEDS, "chatter", 120),
    Guard(
        "log mark: an older copy that is put back begins a new epoch", f"{STORE}/LogMark.swift",
        "guard let end = found.head.end(of: marked.epoch), marked.seq <= end.seq else {",
        "guard found.head.end(of: marked.epoch) != nil || mark.file != file else {", "StoreTests"),
    Guard(
        "retention: what makes the state is kept for snapshots", f"{STORE}/Retention.swift",
        "            try keep(record, now, in: db)\n", "", "StoreTests"),
    Guard(
        "retention: the newest record stays", f"{STORE}/Retention.swift",
        "guard records > 1, isOld || total > bytes else { break }", "guard isOld || total > bytes else { break }",
        "StoreTests"),
    Guard(
        "snapshot: what was applied before is not applied again", f"{STORE}/Cursors.swift",
        "let fresh = part.records.filter { record in done.map { $0 < record.place } ?? true }",
        "let fresh = part.records.filter { record in done.map { $0 < record.place } ?? true || record.seq > 0 }",
        "StoreTests"),
    Guard(
        "wal_autocheckpoint=0", f"{STORE}/StateStore.swift",
        '            try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")\n', "",
        "StoreTests"),
    Guard(
        "an intent is one by its idempotency key", f"{STORE}/Intents.swift",
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", "VALUES (?, ?, ?, ?, ?)", "StoreTests"),
    Guard(
        "one event that fails takes back only itself", f"{STORE}/Transaction.swift",
        "            progress.logs = grown\n            progress.records.removeSubrange(count...)\n            throw error",
        "            throw error", "StoreTests"),
    Guard(
        "an event that the bus could not carry gets no number", f"{STORE}/Transaction.swift",
        "guard body.count <= Self.eventBytes else { throw EventTooLarge(type: envelope.type, bytes: body.count) }", "",
        "StoreTests"),
    Guard(
        "leader lock", f"{STORE}/LeaderLock.swift",
        "if flock(descriptor, kind | LOCK_NB) == 0 { return true }", "if descriptor >= 0 { return true }", "StoreTests"),
    Guard(
        "replicas: the leader hears of what the others have committed", f"{KIT}/ReplicaWatch.swift",
        "                if version != known {\n", "                if version < known {\n", SEEDS, "suite-replicas", 120),
    Guard(
        "the cursor moves with what was applied", f"{KIT}/Inbox.swift",
        "            try transaction.move(to: LogCursor(epoch: last.epoch, seq: last.seq, chain: last.chain), of: last.source)\n",
        "", "ServiceKitTests"),
    Guard(
        "later events of a parked key park behind it", f"{KIT}/Inbox.swift",
        "if try transaction.isParked(key: envelope.partitionkey) {",
        'if try transaction.isParked(key: "") {', "ServiceKitTests"),
    Guard(
        "handlers run in a part of their own", f"{KIT}/Inbox.swift",
        "try transaction.attempt { isGenuine = try run(envelope, record.topic, record.position, $0) }",
        "isGenuine = try run(envelope, record.topic, record.position, transaction)", "ServiceKitTests"),
    Guard(
        "a finished step is not done again", f"{KIT}/StepWorker.swift",
        "if let known, known.result != nil { return known }", "_ = known", SEEDS, "suite", 120),
    Guard(
        "only the leader has the leader's duties", f"{KIT}/LeaderDuties.swift",
        "if let lock = try LeaderLock.acquire(path: lockPath) { return lock }",
        'if let lock = try LeaderLock.acquire(path: lockPath + "\\(Int.random(in: 0..<1000))") { return lock }',
        SEEDS, "replicas", 120),
    Guard(
        "token compare: only the newest grant completes", f"{TRIGGER}/Domain/RunMachine+Working.swift",
        "guard status.phase == .held, status.lease?.token == token else {",
        "guard status.phase == .held else {", "TriggerServiceTests"),
    Guard(
        "token owner: a token counts only from the key whose worker it was given",
        f"{TRIGGER}/Handling/Dispatcher+Sessions.swift",
        "return owner.owns(lease.worker)", "return owner.owns(lease.worker) || lease.token > 0", "TriggerServiceTests"),
    Guard(
        "a step that is over stays over", f"{TRIGGER}/Domain/RunMachine+Working.swift",
        "guard status.phase == .held, status.lease?.token == token else {",
        "guard status.lease?.token == token else {", "TriggerServiceTests"),
    Guard(
        "session takeover: a worker that comes back ends its older session",
        f"{TRIGGER}/Handling/Dispatcher+Sessions.swift",
        "if let older { try end(older.id, comesBack: true, transaction) }",
        "if let older { try transaction.deleteSession(older.id) }", "TriggerServiceTests"),
    Guard(
        "schedules: a tick that nobody was there for is told as missed", f"{TRIGGER}/Domain/Ticking.swift",
        "case .none:\n            let start = now.advanced(by: .zero - Self.inTime)\n            due = passed.filter { $0 > start }",
        "case .none: due = []", "TriggerServiceTests"),
    Guard(
        "schedules: the next tick is stored with the one that fired", f"{TRIGGER}/Handling/Dispatcher+Schedules.swift",
        "let next = ticking.due.dropFirst(due.count).first ?? ticking.next\n",
        "let next = ticking.due.last ?? ticking.next\n", SEEDS, "schedules", 60),
    Guard(
        "a session is given a full term after the grantor's restart", f"{TRIGGER}/Routes/Sessions.swift",
        "            for session in sessions { leases.restore(session.id, now: now) }\n", "", "TriggerServiceTests"),
    Guard(
        "the same id with other content is refused by ingest", f"{TRIGGER}/Routes/Ingest.swift",
        "if known.digest == event.digest { return", "if !known.digest.isEmpty { return",
        "TriggerServiceTests"),
    Guard(
        "a stranger's file gets no group that ours does not name", f"{TRIGGER}/Effects/OperatorVariables.swift",
        "project.variableGroups.filter(ours.variableGroups.contains)", "project.variableGroups", "TriggerServiceTests"),
    Guard(
        "a stranger's file gets nothing that bears a secret's name", f"{TRIGGER}/Effects/OperatorVariables.swift",
        "allowed.groupValues.filter { !ours.secrets.contains($0.key) }", "allowed.groupValues", "TriggerServiceTests"),
    Guard(
        "a decision is void once another is champion", "Services/registry-service/Domain/DecisionUse.swift",
        "guard champion == decision.champion?.version else {",
        "guard champion == decision.champion?.version || version > 0 else {", "RegistryServiceTests"),
    Guard(
        "expect: a stage that changed meanwhile is not changed", "Services/registry-service/Domain/Transition.swift",
        "if let expect, machine.stage(expect) != now {", "if let expect, machine.stage(expect) != now, version < 0 {",
        "RegistryServiceTests"),
    Guard(
        "expect: a holder that changed meanwhile is not replaced", "Services/registry-service/Domain/Transition.swift",
        "guard holding != (expectHolder.map { [$0] } ?? []) else { return }", "guard holding.count > 99 else { return }",
        "RegistryServiceTests"),
    Guard(
        "what a step left running ends with its run", "Services/trainer-proxy/Effects/CleanUp.swift",
        "try transaction.intend(Self.endExecution, id: execution.item, payload: execution.marker)",
        "_ = execution", "TrainerProxyTests"),
    Guard(
        "champion compare: whoever moved up meanwhile is the one to beat",
        "Services/evaluator/Verbs/CompareStep.swift",
        "guard now.challenger == question.challenger, now.champion == question.champion else {",
        "guard now.challenger == question.challenger else {", "EvaluatorTests"),
    Guard(
        "both models are scored on one version of a data set", "Services/evaluator/Effects/Scoring.swift",
        "(artifact.text + dataset.text)", "(artifact.text + \"\\(dataset.hex.count)\")", "EvaluatorTests"),
    Guard(
        "significantly worse is no improvement", "Services/evaluator/Domain/Comparing/Significance.swift",
        "let passed = isSignificant && gain > 0", "let passed = isSignificant && gain != 0", "EvaluatorTests"),
    Guard(
        "a bypass is about one pair of models", "Services/evaluator/Verbs/CompareStep.swift",
        "if decision.concernsSame(as: bypass.of) {", "if !bypass.bypass.by.isEmpty {", "EvaluatorTests"),
    Guard(
        "only a person lets a loser pass", "Services/evaluator/Events/Bypassing.swift",
        'guard envelope.actor.hasPrefix("user:") else {', 'guard envelope.actor.hasPrefix("") else {',
        "EvaluatorTests"),
    Guard(
        "history chain: an altered move shows", "Shared/EventLog/HistoryChain.swift",
        "if let chain, chain != mark.chain, problem == nil {",
        "if let chain, chain != mark.chain, problem == nil, chain.isEmpty {", "RegistryServiceTests"),
    Guard(
        "an artifact that was stored again while a sweep went on stays", "Shared/Artifacts/ArtifactStore+Sweep.swift",
        "place.find(artifact.digest), found.modified < limit else", "place.find(artifact.digest), found.size >= 0 else",
        "ArtifactsTests"),
    Guard(
        "an artifact's bytes are those of its digest", "Shared/Artifacts/ArtifactBytes.swift",
        "guard hash.digest == bytes.artifact.digest else", "guard hash.digest.hex.count == 64 else", "ArtifactsTests"),
    Guard(
        "what was stored again while damaged bytes were read stays", "Shared/Artifacts/FolderPlace.swift",
        "guard try Self.look(path, damaged.digest) == damaged else { return nil }",
        "guard try Self.look(path, damaged.digest) != nil else { return nil }", "ArtifactsTests"),
    Guard(
        "a version's files are still referred to when it is made",
        "Services/registry-service/Store/MLflow/ArtifactQueries.swift",
        "SELECT 1 FROM listed_file WHERE digest = ? LIMIT 1", "SELECT ? LIMIT 1", "RegistryServiceTests"),
    Guard(
        "parts that are there do not go up again", "Shared/Artifacts/S3/S3Upload.swift",
        "if size == Int64(parts.range(of: number).count) { tags[number] = tag }", "if size < 0 { tags[number] = tag }",
        "ArtifactsTests"),
    Guard(
        "an upload in parts that is young is not cleaned away", "Shared/Artifacts/S3/S3Place.swift",
        "let begun = item[\"Initiated\"].flatMap(Timestamp.init), begun < time",
        "let begun = item[\"Initiated\"].flatMap(Timestamp.init), begun.milliseconds > 0", "ArtifactsTests"),
    Guard(
        "an address that others gave does not lead to this machine", "Shared/HTTPClient/Transfer.swift",
        "guard PublicAddress.holds(Array(bytes.prefix(count))) else {", "guard count > 0 else {", "HTTPClientTests"),
    Guard(
        "a webhook's delivery keeps its id", "Services/registry-service/Effects/WebhookSending.swift",
        "let answer = await send(delivery.body, id: intent.id, to: webhook)",
        "let answer = await send(delivery.body, id: UUID().uuidString, to: webhook)", "RegistryServiceTests"),
    Guard(
        "nobody is asked about a decision that was taken back", f"{TRIGGER}/Domain/RunMachine+Approving.swift",
        "let reason = run.status.void?[decision] {", "let reason = run.status.void?[decision + \"-\"] {",
        "TriggerServiceTests"),
    Guard(
        "a run that cannot be read stops no other", f"{TRIGGER}/Handling/Dispatcher.swift",
        "catch let error where error is Refusal || error is DecodingError {",
        "catch let error where error is Refusal && error is DecodingError {", "TriggerServiceTests"),
    Guard(
        "who set off one of several events is no second person", f"{TRIGGER}/Domain/Gathering.swift",
        "cause.otherRequesters = others.isEmpty ? nil : others",
        "cause.otherRequesters = others.isEmpty ? nil : otherRequesters", "TriggerServiceTests"),
    Guard(
        "what services say holds no secret", f"{KIT}/KnownSecrets.swift",
        "text.contains(value) ? text.replacing(value, with: Self.cover) : text", "text", "ServiceKitTests.LineLogTests"),
    Guard(
        "labels that others choose do not grow without end", f"{KIT}/Metrics.swift",
        "guard !labels.isEmpty, sizes[name, default: 0] >= MetricsRegistry.mostSeries else {",
        "guard !labels.isEmpty, sizes[name, default: 0] < 0 else {", "ServiceKitTests.MetricsTests"),
]
