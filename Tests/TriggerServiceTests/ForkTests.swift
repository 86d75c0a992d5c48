import Foundation
import Messages
import ProjectFile
import ServiceKit
import Store
import Testing

@testable import TriggerService

struct ForkTests {
    private func hostile(_ steps: String) -> String {
        """
        martlet: 1
        project: demo
        pipelines:
          quality:
            on: { pull_request: {} }
            jobs: { a: { steps: [ \(steps) ] } }
        """
    }

    @Test(arguments: [
        #"{ id: s, run: "echo", env: { KEY: "${{ secrets.KEY }}" } }"#,
        #"{ id: s, run: "echo", env: { KEY: '{"secret":"KEY"}' } }"#,
        #"{ id: s, run: "echo", env: { KEY: '{"\u0073ecret":"KEY","\u0073ecret":"secretx"}' } }"#,
        #"{ id: s, run: "echo", env: { KEY: { secret: KEY } } }"#,
        #"{ id: s, run: "echo", with: { env: { KEY: { secret: KEY } } } }"#,
        #"{ id: s, run: "echo", env: { A: &key '{ "secret": "KEY" }', KEY: *key } }"#,
        #"{ id: s, uses: train/run, with: { command: "true", parameters: { key: "${{ secrets.KEY }}" } } }"#,
        #"{ id: s, uses: train/run, with: { command: "true", parameters: { key: { secret: KEY } } } }"#,
    ]) func `a fork's pull request never gets a secret, however it asks`(step: String) async throws {
        try await Forgery.open(project: pullRequestProject) { forgery in
            let sha = try await proposeFromFork(forgery.upstream, ["martlet.yml": hostile(step), "src/a.py": "1"])
            // Even where the payload claims that it is none: git knows better.
            let payload = try forgery.pullRequest(sha: sha, fork: false)
            _ = try await forgery.github("pull_request", payload, id: "d1")
            try await forgery.installation.settle()
            #expect(try await forgery.installation.published(PullRequestOpened.self).first?.pullRequest.fork == true)
            let session = try await forgery.installation.open(verbs: ["run", "train/*"])
            #expect(try await forgery.installation.claim(session).isEmpty)
            let step = try #require(try await forgery.installation.published(StepFinished.self).last)
            #expect(step.outcome == .failed && step.message?.contains("no secrets") == true)
        }
    }

    @Test(arguments: [
        #"{"secret":"KEY"}"#, #"{"s\u0065cret":"KEY"}"#, #" { "secret" : "KEY" } "#, #"[{"secret":"KEY"}]"#,
        #"{"a":[{"secret":"KEY"}]}"#, #"{"a":"{\"secret\":\"KEY\"}"}"#, #"words {"secret":"KEY"} words"#,
        #"{"secret":"KEY","other":1}"#,
    ]) func `however a reference is written, it is one`(text: String) throws {
        #expect(throws: EvaluationError.self) { try Untrusted.check("run", [:], ["A": text]) }
        #expect(throws: EvaluationError.self) { try Untrusted.check("run", ["env": ["A": [.string(text)]]], [:]) }
        let value = try? Wire.decode(JSONValue.self, from: Data(text.utf8))
        if let value { #expect(throws: EvaluationError.self) { try Untrusted.check("run", ["env": value], [:]) } }
    }

    @Test(arguments: ["{", "}{", "{}", #"{"a":"secret"}"#, "the secret of {life}", #"{"secrets":"KEY"}"#])
    func `a text that only speaks of secrets is none`(text: String) throws {
        try Untrusted.check("run", ["script": .string(text)], ["A": text])
    }

    @Test(
        arguments: [
            ("train/run", ["dataset": ["name": "patients", "path": "data"]]),
            ("env/ensure", ["files": "envs/*/environment.yml"]),
            ("env/ensure", ["files": "envs/*/environment.yml", "validate_only": false]),
        ] as [(String, JSONValue)])
    func `a fork's pull request leaves nothing under a name that our runs look for`(verb: String, with: JSONValue) {
        #expect(throws: EvaluationError.self) { try Untrusted.check(verb, with, [:]) }
    }

    @Test(
        arguments: [
            ("train/run", ["dataset": ["name": "patients", "version": 3]]), ("train/run", ["dataset": "patients"]),
            ("env/ensure", ["requirements": "requirements.txt"]), ("env/build", ["files": "envs/*/environment.yml"]),
            ("env/ensure", ["files": "envs/*/environment.yml", "validate_only": true]),
            ("env/ensure", ["files": "envs/*/environment.yml", "validate_only": "true"]),
        ] as [(String, JSONValue)])
    func `it may use and check what is there`(verb: String, with: JSONValue) throws {
        try Untrusted.check(verb, with, [:])
    }

    @Test(arguments: [
        "deploy/model", "registry/transition", "registry/register", "train/publish", "dataset/ensure", "image/build",
        "pipeline/start",
    ])
    func `a fork's pull request may not act in the repository's name`(verb: String) throws {
        #expect(throws: (any Error).self) { try Untrusted.check(verb, [:], [:]) }
        for computing in ["run", "train/run", "evaluate/test", "registry/resolve"] {
            try Untrusted.check(computing, [:], ["A": "{}"])
        }
    }

    @Test func `a fork's harmless run is claimed, and what follows it gets no secrets either`() async throws {
        try await Forgery.open(project: pullRequestProject) { forgery in
            let sha = try await proposeFromFork(forgery.upstream)
            _ = try await forgery.github("pull_request", try forgery.pullRequest(sha: sha, fork: true), id: "d1")
            try await forgery.installation.settle()
            let session = try await forgery.installation.open()
            let work = try #require(try await forgery.installation.claim(session).first)
            #expect(work.run.pipeline == "quality")
            try await forgery.installation.complete(work)
            #expect(try await forgery.installation.published(RunFinished.self).first?.outcome == .succeeded)
            let after = try #require(try await forgery.installation.published(StepFinished.self).last)
            #expect(after.outcome == .failed && after.message?.contains("no secrets") == true)
        }
    }

    @Test func `the same request from a branch of the repository gets what it asks for`() async throws {
        let asking = hostile(#"{ id: s, run: "echo", env: { KEY: "${{ secrets.KEY }}" } }"#)
        try await Forgery.open(project: pullRequestProject) { forgery in
            let sha = try await propose(forgery.upstream, ["martlet.yml": asking, "src/a.py": "1"])
            _ = try await forgery.github("pull_request", try forgery.pullRequest(sha: sha), id: "d1")
            try await forgery.installation.settle()
            let session = try await forgery.installation.open()
            let work = try #require(try await forgery.installation.claim(session).first)
            #expect(work.variables["KEY"]?.contains("KEY") == true)
        }
    }

    private static let guarded = """
        martlet: 1
        project: demo
        variable_groups: [shared]
        secrets: [PASSWORD]
        variables: { region: eu }
        pipelines:
          quality:
            on: { pull_request: {} }
            jobs: { a: { steps: [ { run: "true" } ] } }
        """

    /// The scripts that a request runs whose file asks for a variable, and what is held against it.
    private func asked(_ name: String, byFork: Bool) async throws -> (scripts: [String?], verdicts: [TriggerIgnored]) {
        let environment = ["MARTLET_VAR_region": "us", "MARTLET_VAR_HIDDEN": "h"]
        var answer: (scripts: [String?], verdicts: [TriggerIgnored]) = ([], [])
        try await Forgery.open(project: Self.guarded, environment: environment) { forgery in
            try forgery.installation.keep(group: "shared", "TABLE=churn\nPASSWORD=hunter2")
            try forgery.installation.keep(group: "prod", "DSN=db")
            let file = hostile("{ run: 'echo ${{ vars.\(name) }}' }").replacing(
                "project: demo", with: "project: demo\nvariable_groups: [shared, prod]")
            let files = ["martlet.yml": file]
            let sha =
                if byFork { try await proposeFromFork(forgery.upstream, files) } else {
                    try await propose(forgery.upstream, files)
                }
            _ = try await forgery.github("pull_request", try forgery.pullRequest(sha: sha, fork: byFork), id: "d1")
            try await forgery.installation.settle()
            let works = try await forgery.installation.claim(try await forgery.installation.open())
            answer.scripts = works.map { $0.with["script"]?.string }
            answer.verdicts = try await forgery.installation.published(TriggerIgnored.self)
                .filter { $0.pipeline == "quality" && $0.code == "variables" }
        }
        return answer
    }

    @Test(arguments: [
        ("TABLE", "echo churn", true), ("region", "echo us", true), ("PASSWORD", "echo hunter2", false),
        ("DSN", "echo db", false), ("HIDDEN", "echo h", false),
    ])
    func `a fork's file gets an operator's value only where the default branch's names it, and never a secret's`(
        name: String, script: String, forks: Bool
    ) async throws {
        #expect(try await asked(name, byFork: false).scripts == [script])
        let asked = try await asked(name, byFork: true)
        #expect(asked.scripts == (forks ? [script] : []))
        #expect(asked.verdicts.count == (forks ? 0 : 1))
        #expect(asked.verdicts.allSatisfy { $0.reason.contains("only what the file of the default branch names") })
    }

    private static let waiting = """
        martlet: 1
        project: demo
        pipelines:
          both:
            on: { all: { of: { request: { pull_request: {} }, data: { event: { type: com.acme.data } } } } }
            jobs: { a: { steps: [ { run: "true" } ] } }
        """

    @Test(arguments: [true, false])
    func `T12 what comes of a fork's request completes no set of ours`(byFork: Bool) async throws {
        try await Forgery.open(project: Self.waiting) { forgery in
            let sha =
                if byFork { try await proposeFromFork(forgery.upstream) } else { try await propose(forgery.upstream) }
            _ = try await forgery.github("pull_request", try forgery.pullRequest(sha: sha, fork: byFork), id: "d1")
            try await forgery.installation.settle()
            let event: JSONValue = [
                "specversion": "1.0", "id": "e1", "source": "/acme", "type": "com.acme.data", "data": [:],
            ]
            _ = try await forgery.installation.request("publish", body: [try Wire.encode(event)], user: "acme")
            try await forgery.installation.settle()
            #expect(try await forgery.installation.published(RunQueued.self).count == (byFork ? 0 : 1))
            let waiting = try await forgery.installation.published(TriggerIgnored.self).filter { $0.code == "waiting" }
            #expect(waiting.count == (byFork ? 2 : 1))
        }
    }

    @Test(arguments: [nil, true] as [Bool?])
    func `a fork starts nothing where nobody has let forks`(ignored: Bool?) async throws {
        try await Forgery.open(project: pullRequestProject, ignoreForks: ignored) { forgery in
            let sha = try await proposeFromFork(forgery.upstream)
            _ = try await forgery.github("pull_request", try forgery.pullRequest(sha: sha, fork: true), id: "d1")
            try await forgery.installation.settle()
            #expect(try await forgery.verdicts(of: "d1").map(\.code) == ["fork"])
            #expect(try await forgery.installation.published(RunQueued.self).isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `what only a request has is not run by its commit's name, until somebody has pushed it`(
        forksAreLet: Bool
    ) async throws {
        let text = hostile(#"{ id: s, run: "true" }"#).replacing(
            "pull_request: {}", with: "pull_request: {}, manual: {}")
        try await Forgery.open(project: text, ignoreForks: !forksAreLet) { forgery in
            let (installation, upstream) = (forgery.installation, forgery.upstream)
            let sha = try await proposeFromFork(upstream)
            let merge = try await upstream.git("rev-parse", "refs/pull/2/merge")
            _ = try await forgery.github("pull_request", try forgery.pullRequest(sha: sha, fork: true), id: "d1")
            try await installation.settle()
            let runs = try await installation.published(RunQueued.self).count
            #expect(runs == (forksAreLet ? 1 : 0))
            let isHere = try await installation.mirrors["demo"].holds(sha)
            #expect(isHere == forksAreLet)
            for commit in [sha, merge, String(sha.prefix(12))] {
                let wish = RunRequested(project: "demo", pipeline: "quality", sha: commit, parameters: [:])
                let answer = try await installation.answer(to: try await installation.command(wish))
                #expect(!answer.accepted && answer.reason?.contains("branch") == true, "\(answer)")
            }
            #expect(try await installation.published(RunQueued.self).count == runs)
            try await upstream.git("branch", "-q", "vouched-for", sha)
            let wish = RunRequested(project: "demo", pipeline: "quality", sha: sha, parameters: [:])
            #expect(try await installation.answer(to: try await installation.command(wish)).accepted)
            #expect(try await installation.published(RunQueued.self).last?.git?.sha == sha)
        }
    }
}
