import Messages
import Testing

@testable import ProjectFile

/// Environments, back ends, targets, notifications and models.
struct SettingsTests {
    private let pipelines = "pipelines: { p: { jobs: { j: { steps: [ { run: x } ] } } } }"

    private func load(_ sections: String) throws -> Project {
        try project("martlet: 1\n\(sections)\n\(pipelines)")
    }

    @Test(arguments: [
        ("targets: { t: { kind: proces, command: x } }", "2:23: 'kind' cannot be 'proces'; did you mean 'process'?"),
        ("targets: { t: { kind: process } }", "2:15: target 't' needs 'command': what serves a version"),
        ("targets: { t: { command: x } }", kindMissing),
        (
            "targets: { t: { kind: process, command: \"x ${{ git.branch }}\" } }",
            "2:48: 'git.branch' may hold anything, and a shell reads 'command': make it a list of words"
        ),
        (
            "targets: { t: { kind: process, command: [x, \"${{ git.message }}\"] } }",
            "2:50: 'git.message' has no place in a target: whoever can push chooses what it holds"
        ),
        (
            "targets: { t: { kind: process, command: x, env: { A: \"${{ git.author }}\" } } }",
            "2:59: 'git.author' has no place in a target: whoever can push chooses what it holds"
        ),
        (
            "targets: { t: { kind: cluster, heatlh: /h } }",
            "2:32: unknown key 'heatlh' in target 't'; did you mean 'health'?"
        ),
        (
            "backends: { b: { kind: spark } }",
            "2:24: 'kind' cannot be 'spark'; there are local, http, azureml, kubeflow, databricks-jobs"
        ),
        ("backends: { b: { kind: http, wait: pol } }", "2:36: 'wait' cannot be 'pol'; did you mean 'poll'?"),
        (
            "environments: { e: { approvals: { from: [me] } } }",
            "2:42: 'me' is neither user:NAME nor group:NAME nor key:CLIENT"
        ),
        (
            "environments: { e: { approvals: { on_timeout: rejct } } }",
            "2:47: 'on_timeout' cannot be 'rejct'; did you mean 'reject'?"
        ),
        ("environments: { e: { approvals: { required: -1 } } }", "2:45: 'required' is a whole number from 0 to 100"),
        ("environments: [ e ]", "2:15: 'environments' is a map of names, not a list"),
        ("notify: { when: run.failed }", "2:9: 'notify' is a list of {when, use, channel}, not a map"),
        (
            "notify: [ { when: run.failed, use: file, channel: c, pipelines: [q] } ]",
            "2:66: there is no pipeline 'q'; did you mean 'p'?"
        ),
        ("model: { stages: { preset: mlfow } }", "2:28: 'preset' cannot be 'mlfow'; did you mean 'mlflow'?"),
        (
            "model: { stages: { preset: mlflow, states: { a: {} } } }",
            "2:36: states of a preset are changed with 'rules', not with 'states'"
        ),
        ("model: { name: \"${{ params.x }}\" }", "2:21: 'params' is not known here: there is no run yet"),
        ("model: {}\nmodels: { a: {} }", "3:11: say 'model' for one model or 'models' for several, not both"),
        ("project: a/b", "2:10: 'a/b' is no name: letters, digits, '_', '-' and '.' are allowed, at most 100"),
        (
            "variables: { 1x: 2 }",
            "2:14: '1x' is no name for a variable: a letter first, then letters, digits, '_', '-'"
        ),
    ])
    func `a section that cannot hold is refused`(section: String, error: String) {
        #expect(errors("martlet: 1\n\(section)\n\(pipelines)") == [error])
    }

    private static let kindMissing = """
        2:15: target 't' needs 'kind': container, container-image, http-service, endpoint, cluster, git-sync, process
        """

    @Test func `a target of kind process keeps its settings`() throws {
        let project = try load(
            "variables: { h: /healthz }\n"
                + "targets: { api: { kind: process, command: python serve.py, "
                + "port_env: PORT, health: \"${{ vars.h }}\", "
                + "score: /score, instance: shared } }"
        )
        #expect(project.targets["api"]?.kind == "process")
        #expect(
            try project.targetValues(in: try project.baseScope()) == [
                "api": [
                    "kind": "process", "command": "python serve.py", "port_env": "PORT", "health": "/healthz",
                    "score": "/score", "instance": "shared",
                ]
            ]
        )
    }

    @Test func `a target may hold what is known of its commit, and words that no shell reads`() throws {
        let project = try load(
            "targets: { api: { kind: process, command: [serve, \"${{ git.branch }}\"], root: \"${{ git.branch }}\" },"
                + " b: { kind: process, command: \"serve ${{ git.sha }}\" } }")
        #expect(project.targets.count == 2)
    }

    @Test func `an environment without approvals asks nobody, and approvals have defaults`() throws {
        let project = try load("environments: { dev: {}, qa: { approvals: { required: 2 } } }")
        #expect(project.environments["dev"] == Environment(name: "dev", approvals: nil))
        let approvals = try #require(project.environments["qa"]?.approvals)
        #expect(approvals.required == 2 && approvals.from.isEmpty && !approvals.requesterMayApprove)
        #expect(approvals.timeout == .seconds(2_592_000) && approvals.onTimeout == .reject)
    }

    @Test func `a channel is a secret's name, a text or a path`() throws {
        let project = try load(
            """
            notify:
              - { when: [run.*], use: slack, channel: "${{ secrets.HOOK }}", pipelines: [p] }
              - { when: model.stage_changed, use: file, channel: "runs-${{ project }}.log" }
              - { when: [com.acme.fairness.checked, approval.requested], use: webhook, channel: http://localhost:1 }
            """
        )
        #expect(
            try project.notificationRules(in: try project.baseScope()) == [
                NotificationRule(when: ["run.*"], use: "slack", secret: "HOOK", channel: nil, pipelines: ["p"]),
                NotificationRule(when: ["model.stage_changed"], use: "file", secret: nil, channel: "runs-repo.log"),
                NotificationRule(
                    when: ["com.acme.fairness.checked", "approval.requested"], use: "webhook", secret: nil,
                    channel: "http://localhost:1"
                ),
            ]
        )
    }

    @Test func `S4-15 several models may live in one project`() throws {
        let project = try load("models: { a: { champion: latest }, b: { name: \"${{ project }}-b\" } }")
        let models = try project.modelDeclarations()
        #expect(models.map(\.name) == ["a", "repo-b"])
        #expect(models.map(\.champion) == ["latest", nil])
        #expect(try project.baseScope().model == ["name": "a", "champion": "latest"])
    }

    @Test(arguments: [
        ("model: {}", "x", false), ("model: { champion: current }", "x", false),
        ("model: { champion: latest }", "x", true),
        ("models: { a: {}, b: { champion: 7 } }", "x", true),
        ("model: {}", "steps.s.champion", true), ("model: { champion: latest }", "steps.t.champion", false),
    ])
    func `a recheck needs a champion that can be watched`(models: String, output: String, holds: Bool) {
        let body = """
            jobs:
              e:
                steps:
                  - { id: s, uses: evaluate/pin, with: { champion: stage=live, challenger: latest } }
                  - { id: t, uses: evaluate/pin, with: { champion: current, challenger: latest } }
                outputs: { o: "${{ \(output == "x" ? "steps.s.other" : output) }}" }
              d: { needs: e, recheck: { champion_unchanged: "${{ needs.e.o }}" }, steps: [ { run: x } ] }
            """
        let error =
            "11:22: 'recheck' needs a champion that can be watched: a 'champion' of the model, and not 'current'"
        #expect(errors(file(pipeline: body, top: models)) == (holds ? [] : [error]))
    }

    @Test func `variables from files or groups leave names open`() throws {
        let step = "pipelines: { p: { jobs: { j: { steps: [ { run: \"${{ vars.from_file }}\" } ] } } } }"
        let open = try project("martlet: 1\nvariables: { files: [a.env], b: 1 }\n" + step)
        #expect(open.variableFiles == [.literal("a.env")] && open.variables.map(\.name) == ["b"])
        #expect(try project("martlet: 1\nvariable_groups: [g]\n" + step).variableGroups == ["g"])
        #expect(errors("martlet: 1\nvariables: { files: one }\n" + step).count == 1)
    }

    @Test func `retry, timeout and concurrency have short forms`() throws {
        let body = """
            concurrency: "deploy-${{ git.branch }}"
            env: &env { A: 1.10, B: "${{ secrets.B }}" }
            jobs:
              j: { retry: 3, timeout: 5m, steps: [ { run: x, timeout: 250ms, env: *env } ] }
              k: { retry: { max: 2, backoff: 10s }, steps: [ { run: x } ] }
            """
        let pipeline = try project(file(pipeline: body)).pipelines[0]
        let concurrency = try #require(pipeline.concurrency)
        #expect(try concurrency.group.text(in: Scope(git: ["branch": "main"])) == "deploy-main")
        #expect(concurrency.max == 1 && concurrency.onConflict == .queue)
        #expect(
            pipeline.jobs.map(\.retry) == [Retry(max: 3, backoff: .seconds(1)), Retry(max: 2, backoff: .seconds(10))])
        #expect(pipeline.jobs[0].steps[0].timeout == .milliseconds(250))
        #expect(
            try pipeline.jobs[0].steps[0].env.mapValues { try $0.evaluate(in: Scope()) } == [
                "A": "1.10", "B": ["secret": "B"],
            ])
    }
}
