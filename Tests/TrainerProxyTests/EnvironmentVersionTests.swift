import Foundation
import Messages
import ServiceKit
import Store
import Testing

@testable import TrainerProxy

/// One version of a named environment has one definition, whoever registers at the same time.
struct EnvironmentVersionTests {
    private static let file = "envs/base/environment.yml"

    private func text(more: String = "") -> String { "name: base\nversion: 1\n\(more)" }

    private func ensure(
        _ workshop: Workshop, _ files: [String: String], _ more: [String: JSONValue] = [:], run: String
    ) async throws -> StepResult {
        let with: [String: JSONValue] = ["files": "envs/*/environment.yml"]
        return try await workshop.perform(
            workshop.work(
                "env/ensure", .object(with.merging(more) { $1 }), run: run,
                snapshot: try await workshop.snapshot(files)))
    }

    @Test func `S3-4 two definitions of one version in one step are refused before anything is registered`()
        async throws
    {
        let workshop = try Workshop()
        let other = "envs/other/environment.yml"
        let files = [Self.file: text(), other: text(more: "image: other\n")]
        let ways: [[String: JSONValue]] = [[:], ["validate_only": true, "fail_on_missing": false]]
        let words =
            "\(other): environment 'base' version 1 is defined otherwise in \(Self.file); give one of them another name "
            + "or version"
        for (number, more) in ways.enumerated() {
            let result = try await ensure(workshop, files, more, run: "run-\(number)")
            #expect(result.outcome == .failed)
            #expect(result.message == words)
        }
        #expect(try await workshop.events(EnvironmentRegistered.self).isEmpty)
        // One definition in two files is one.
        let same = try await ensure(workshop, [Self.file: text(), other: text()], run: "same")
        #expect(same.outcome == .succeeded, "\(same.message ?? "")")
        #expect(try await workshop.events(EnvironmentRegistered.self).count == 1)
    }

    @Test func `S3-4 a version that another run defines meanwhile is an error, and the job works in none`() async throws
    {
        let workshop = try Workshop()
        let (python, begun, gate) = (workshop.root + "/python", workshop.root + "/begun", workshop.root + "/gate")
        // It builds nothing before the other run has registered its own.
        let script = """
            #!/bin/sh
            [ "$1" = -c ] || { : > \(begun); while [ ! -e \(gate) ]; do sleep 0.05; done; }
            exec python3 "$@"
            """
        try workshop.write(script, to: python)
        chmod(python, 0o755)
        async let first = ensure(workshop, [Self.file: text(more: "python: \(python)\n")], run: "slow")
        try await eventually { FileManager.default.fileExists(atPath: begun) }
        let other = try await ensure(workshop, [Self.file: text(more: "image: other\n")], run: "other")
        #expect(other.outcome == .succeeded, "\(other.message ?? "")")
        try workshop.write("", to: gate)
        let late = try await first
        #expect(late.outcome == .failed)
        #expect(late.message?.contains("Please increase version") == true, "\(late.message ?? "")")
        #expect(try await workshop.events(EnvironmentRegistered.self).count == 1)
        let current = try await workshop.context.store.read { db in
            try EnvironmentQueries.current(run: "slow", job: "j", in: db)
        }
        #expect(current == nil)
    }
}
