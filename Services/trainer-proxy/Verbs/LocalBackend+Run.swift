import Foundation
import Messages
import Processes
import ServiceKit

extension LocalBackend {
    /// `run`: a script in the job's working copy.
    func run(_ work: StepWork) async throws -> StepEnding {
        guard let script = work.with["script"]?.string else {
            throw StepFailure("run: the step has no script")
        }
        let folders = try await copies.prepare(work)
        let environment = try await currentEnvironment(work)
        let finished = try await executor.run(work, in: folders, timeout: work.timeoutSeconds) {
            try bash(script, work, in: folders, environment: environment)
        }
        var verdict = verdict(finished, timeout: work.timeoutSeconds)
        var outputs: [String: JSONValue] = [:]
        if case .succeeded = verdict.outcome {
            do throws(OutputFileError) {
                outputs = try self.outputs(folders)
            } catch {
                verdict = .failed("\(error)")
            }
        }
        if case .exited(.code(let code)) = finished.ending { outputs["exit_code"] = .int(Int(code)) }
        return ending(work, finished, verdict, outputs: outputs)
    }
}
