import Messages

/// A part of a trace: a run, a job or a step, from beginning to end. The step is in its job, the job in its run.
///
/// Its ids follow from those of what it tells of, so that it is the same span however often it is told.
struct Span: Sendable, Hashable, Codable {
    var trace: String
    var id: String
    var parent: String?
    var name: String
    /// Who did it.
    var service: String
    var start: Timestamp
    var end: Timestamp
    var outcome: Outcome
    var message: String?
    var attributes: [String: String]

    /// What a `*.finished` event ends; `nil` for other events.
    ///
    /// - Parameter jobStart: when that job of that run began, as far as it is known.
    init?(_ envelope: Envelope, jobStart: (_ run: String, _ job: String) throws -> Timestamp?) throws {
        guard let trace = envelope.traceparent.flatMap(Trace.id) else { return nil }
        let end = envelope.time
        func start(_ seconds: Double) -> Timestamp { end.advanced(by: .zero - .seconds(max(0, seconds))) }
        if let body = try envelope.body(RunFinished.self) {
            self.init(
                trace: trace, id: Trace.span(of: body.run), name: "\(body.project)/\(body.pipeline)",
                service: Source.triggerService.name, start: start(body.seconds), end: end, outcome: body.outcome,
                message: body.message,
                attributes: [
                    "martlet.run": body.run, "martlet.run.number": String(body.number), "martlet.project": body.project,
                    "martlet.pipeline": body.pipeline, "vcs.ref.head.name": body.branch ?? "",
                    "vcs.ref.head.revision": body.sha ?? "",
                ])
        } else if let body = try envelope.body(JobFinished.self), let begun = try jobStart(body.run, body.job) {
            self.init(
                trace: trace, id: Trace.span(of: "\(body.run)/\(body.job)"), parent: Trace.span(of: body.run),
                name: body.job, service: Source.triggerService.name, start: begun, end: end, outcome: body.outcome,
                message: body.message, attributes: ["martlet.run": body.run, "martlet.job": body.job])
        } else if let body = try envelope.body(StepFinished.self), let seconds = body.seconds {
            let item = "\(body.run)/\(body.job)/\(body.step)/\(body.attempt)"
            self.init(
                trace: trace, id: Trace.span(of: item), parent: Trace.span(of: "\(body.run)/\(body.job)"),
                name: body.verb, service: Source.triggerService.name, start: start(seconds), end: end,
                outcome: body.outcome, message: body.message,
                attributes: [
                    "martlet.run": body.run, "martlet.job": body.job, "martlet.step": body.step,
                    "martlet.attempt": String(body.attempt), "martlet.verb": body.verb,
                ])
        } else {
            return nil
        }
    }

    init(
        trace: String, id: String, parent: String? = nil, name: String, service: String, start: Timestamp,
        end: Timestamp, outcome: Outcome, message: String?, attributes: [String: String]
    ) {
        self.trace = trace
        self.id = id
        self.parent = parent
        self.name = name
        self.service = service
        self.start = start
        self.end = end
        self.outcome = outcome
        self.message = message
        self.attributes = attributes
    }
}

extension Span {
    /// As OTLP has it in JSON: `ExportTraceServiceRequest`, one span in it.
    var otlp: JSONValue {
        let members = attributes.merging(["martlet.outcome": outcome.rawValue]) { own, _ in own }
            .filter { !$0.value.isEmpty }
        // Losing against the champion is no failure.
        let status: JSONValue =
            outcome == .failed
            ? ["code": 2, "message": .string(message ?? "failed")] : ["code": .int(outcome == .succeeded ? 1 : 0)]
        var span: [String: JSONValue] = [
            "traceId": .string(trace), "spanId": .string(id), "name": .string(name), "kind": 1,
            "startTimeUnixNano": .string("\(start.milliseconds)000000"),
            "endTimeUnixNano": .string("\(end.milliseconds)000000"),
            "attributes": .array(members.sorted { $0.key < $1.key }.map { Self.attribute($0.key, $0.value) }),
            "status": status,
        ]
        if let parent { span["parentSpanId"] = .string(parent) }
        return [
            "resourceSpans": [
                [
                    "resource": [
                        "attributes": [
                            Self.attribute("service.name", service), Self.attribute("service.namespace", "martlet"),
                        ]
                    ],
                    "scopeSpans": [["scope": ["name": "martlet"], "spans": [.object(span)]]],
                ]
            ]
        ]
    }

    private static func attribute(_ key: String, _ value: String) -> JSONValue {
        ["key": .string(key), "value": ["stringValue": .string(value)]]
    }
}
