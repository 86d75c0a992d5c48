import Foundation
import HTTPClient
import Logging
import Messages
import ServiceKit
import Store
import Testing

@testable import Console

struct SpanTests {
    private let run = "01938f7e-7c00-7abc-8def-0123456789ab"

    private func envelope<Body: EventBody>(_ body: Body, seconds: Int64 = 100) throws -> Envelope {
        Envelope(
            id: "01938f7e-7c09-7abc-8def-aaaaaaaaaaaa", source: "/martlet/trigger-service", type: Body.eventType,
            subject: "run/\(run)", time: Timestamp(milliseconds: seconds * 1000), partitionkey: run,
            causation: .first(actor: "service:trigger-service"), data: try Wire.tree(body))
    }

    private func span<Body: EventBody>(_ body: Body) throws -> Span? {
        try Span(try envelope(body)) { _, _ in Timestamp(milliseconds: 90_000) }
    }

    @Test func `a step is in its job, the job in its run, from beginning to end`() throws {
        let ended = try #require(
            try span(
                RunFinished(
                    run: run, number: 7, project: "churn", pipeline: "ship", branch: "main", outcome: .succeeded,
                    seconds: 20, outputs: [:])))
        let job = try #require(try span(JobFinished(run: run, job: "train", outcome: .succeeded, outputs: [:])))
        let step = try #require(
            try span(
                StepFinished(
                    run: run, job: "train", step: "fit", attempt: 2, verb: "train/run", outcome: .failed,
                    message: "no such file", outputs: [:], seconds: 2.5)))
        #expect(ended.parent == nil && job.parent == ended.id && step.parent == job.id)
        #expect(Set([ended.trace, job.trace, step.trace]).count == 1)
        #expect(ended.start.milliseconds == 80_000 && ended.end.milliseconds == 100_000)
        #expect(job.start.milliseconds == 90_000 && step.start.milliseconds == 97_500)
        #expect(step.id == Trace.span(of: "\(run)/train/fit/2"))
    }

    @Test func `what is no end, and a job whose beginning was not heard of, is no span`() throws {
        #expect(try span(RunStarted(run: run, number: 7, project: "churn", pipeline: "ship")) == nil)
        let job = try envelope(JobFinished(run: run, job: "train", outcome: .skipped, outputs: [:]))
        #expect(try Span(job) { _, _ in nil } == nil)
        // An event of an older Martlet.
        var old = try envelope(JobFinished(run: run, job: "train", outcome: .succeeded, outputs: [:]))
        old.traceparent = nil
        #expect(try Span(old) { _, _ in Timestamp(milliseconds: 0) } == nil)
    }

    @Test(
        arguments: [
            (.succeeded, 1), (.failed, 2), (.notPromoted, 0), (.canceled, 0), (.skipped, 0),
        ] as [(Outcome, Int)])
    func `losing against the champion is no failure`(outcome: Outcome, code: Int) throws {
        let told = try #require(
            try span(
                StepFinished(
                    run: run, job: "a", step: "b", attempt: 1, verb: "evaluate/compare", outcome: outcome, outputs: [:],
                    seconds: 1)))
        let span = told.otlp["resourceSpans"]?[0]?["scopeSpans"]?[0]?["spans"]?[0]
        #expect(span?["status"]?["code"]?.int == code)
        #expect(span?["startTimeUnixNano"] == "99000000000" && span?["endTimeUnixNano"] == "100000000000")
    }

    private func answer(_ url: String, tries: Int = 0) async throws -> EffectOutcome {
        let folder = DataPaths(root: NSTemporaryDirectory() + "console-otlp-" + UUID().uuidString)
        let export = TraceExport(
            url: url, secrets: Secrets(paths: folder), logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        let told = try #require(try span(JobFinished(run: run, job: "a", outcome: .succeeded, outputs: [:])))
        return await export.effect(try Intent(kind: TraceExport.kind, id: "1", payload: told, attempts: tries))
    }

    @Test func `a collector that is away is asked again, for about an hour`() async throws {
        let nobody = "http://127.0.0.1:1/v1/traces"
        let (first, last) = (try await answer(nobody), try await answer(nobody, tries: 100))
        if case .later = first {} else { Issue.record("it is given up at once") }
        if case .never = last {} else { Issue.record("it is asked for ever") }
    }

    @Test(arguments: [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://collector/otlp/v1/traces", "https://collector/otlp/v1/traces"),
    ])
    func `a collector is named with its path or without`(given: String, meant: String) throws {
        #expect(try Settings(environment: ["MARTLET_OTLP_URL": given]).otlp == meant)
    }

    @Test(arguments: ["collector:4318", "ftp://collector", "http://", "http://kim:word@collector"])
    func `what is no address is refused, also one with a password in it`(text: String) {
        #expect(throws: SettingsError.self) { try Settings(environment: ["MARTLET_OTLP_URL": text]) }
    }
}
