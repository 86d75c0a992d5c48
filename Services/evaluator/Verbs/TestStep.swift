import Artifacts
import Foundation
import Messages
import Processes
import ServiceKit
import Store

/// `evaluate/test`: runs a project's tests in a copy of its commit and judges their JUnit report (S0-14, E5).
struct TestStep: Sendable {
    let store: StateStore
    let artifacts: ArtifactStore
    let paths: DataPaths
    let own: [String: String]

    /// Removes what a finished item leaves behind: after the commit, so that a crash before it finds all as it was.
    static let cleaning = "tests.clean"

    static let clean: Effect = { intent in
        guard let path = try? intent.decode(String.self) else {
            return .never(reason: "not a path", { _ in })
        }
        try? FileManager.default.removeItem(atPath: path)
        return .done({ _ in })
    }

    static let verb = StepVerb.lasting(["evaluate/test"]) { work, tools in
        let step = TestStep(
            store: tools.context.store, artifacts: tools.context.artifacts, paths: tools.context.paths,
            own: ProcessInfo.processInfo.environment)
        return try await step.perform(work)
    }

    func perform(_ work: StepWork) async throws -> StepEnding {
        let folder = TestFolder(work: paths.work, item: work.item)
        do {
            let request = try TestRequest(work)
            let log = try artifacts.liveLog(work.item)
            let process = TestProcess(item: work.item, folder: folder, store: store)
            let end: ProcessEnd?
            switch try await process.state() {
            case .ended(let known):
                await process.endRest()
                end = known
            case .running(let running):
                end = try await process.end(of: running, timeout: work.remainingTime(since: folder.started))
            case .absent:
                let running = try await begin(request, work: work, process: process, log: log.path)
                end = try await process.end(of: running, timeout: work.remainingTime(since: nil))
            }
            return try await judge(request, work: work, folder: folder, end: end, log: try await log.seal())
        } catch is CancellationError {
            folder.remove()
            throw CancellationError()
        } catch let refusal as Refusal {
            await giveUp(folder, work)
            throw StepFailure(refusal.reason, outputs: ["outcome": "failed"])
        } catch let error as ProcessError {
            await giveUp(folder, work)
            throw StepFailure(error.description, outputs: ["outcome": "failed"])
        } catch let error as ArtifactError {
            await giveUp(folder, work)
            throw StepFailure(error.description, outputs: ["outcome": "failed"])
        }
    }

    /// A test run that cannot go on leaves nothing behind.
    private func giveUp(_ folder: TestFolder, _ work: StepWork) async {
        await TestProcess(item: work.item, folder: folder, store: store).endRest()
        folder.remove()
        try? await store.write { tx in try tx.forget(testProcessOf: work.item) }
    }

    private func begin(
        _ request: TestRequest, work: StepWork, process: TestProcess, log: String
    ) async throws -> DetachedProcess {
        let python = try await PythonEnvironment.folder(
            of: work, named: request.environment, store: store, paths: paths)
        let model = try await model(request, work: work)
        let folder = process.folder
        try await folder.prepare(
            snapshot: work.run.snapshot, model: model, report: request.report, artifacts: artifacts)
        let variables = request.variables(
            work, own: own, folder: folder.root, python: python, model: model.map { _ in folder.model })
        return try await process.begin(argv: request.argv, environment: variables, log: log)
    }

    private func model(_ request: TestRequest, work: StepWork) async throws -> Digest? {
        guard let selector = request.version else { return nil }
        guard let name = request.model ?? work.run.model else {
            throw Refusal("with.model: project '\(work.run.project)' declares no model whose version could be tested")
        }
        let version = try await store.read { db in try Candidates.version(selector, of: name, in: db) }
        guard let digest = version.digest else {
            throw Refusal("version \(version.number) of '\(name)' has no artifact")
        }
        return digest
    }

    private func judge(
        _ request: TestRequest, work: StepWork, folder: TestFolder, end: ProcessEnd?, log: Digest
    ) async throws -> StepEnding {
        var report: TestReport?
        var stored: Digest?
        var problem: String?
        do {
            let bytes = try folder.report(request.report)
            stored = try await artifacts.put(bytes)
            report = try JUnitReader.read(bytes)
        } catch let unreadable as JUnitReader.Unreadable {
            problem = unreadable.description
        }
        let ended = end?.description ?? "its time being up after \(work.timeoutSeconds ?? 0) s"
        let verdict = TestVerdict(report: report, problem: problem, succeeded: end?.isSuccess == true, end: ended)
        let body = TestSuiteFinished(
            run: work.run.id, step: "\(work.job)/\(work.step)", passed: report?.passed ?? 0,
            failed: report?.failed ?? 0, errors: report?.errors ?? 0, skipped: report?.skipped ?? 0,
            status: verdict.passed ? "passed" : "failed", report: stored, message: verdict.message)
        return StepEnding(body.result(log: log)) { tx in
            try tx.publish(
                body, subject: "run/\(body.run)", key: body.run,
                because: work.causation.acting(as: "pipeline:\(work.run.pipeline)"))
            try tx.forget(testProcessOf: work.item)
            try tx.intend(Self.cleaning, id: work.item, payload: folder.root)
        }
    }
}

extension TestSuiteFinished {
    func result(log: Digest) -> StepResult {
        StepResult(
            status == "passed" ? .succeeded : .failed,
            outputs: [
                "outcome": .string(status), "passed": .int(passed), "failed": .int(failed), "errors": .int(errors),
                "skipped": .int(skipped), "report": report.map { .string($0.text) } ?? .null,
            ],
            message: message, log: log)
    }
}
