import Foundation
import Messages
@testable import ProjectFile
import Testing

struct ExampleTests {

    private func load(_ name: String) throws -> Project {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/projects")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let file = try #require(files.first { $0.hasPrefix(name) && $0.hasSuffix(".yml") })
        let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
        return try read(text).get()
    }

    @Test(arguments: ["seed-0", "seed-1", "seed-2", "seed-3", "seed-4"])
    func `every example loads unchanged and can be planned`(name: String) throws {
        let project = try load(name)
        var scope = try project.baseScope(environment: "prod")
        scope.git = ["sha": "c0ffee", "branch": "main"]
        for pipeline in project.pipelines {
            let jobs = try project.planJobs(of: pipeline, in: scope)
            #expect(!jobs.isEmpty)
            #expect(Set(jobs.map(\.id)).count == jobs.count)
        }
        #expect(project.digest.hasPrefix("sha256:") && project.digest.count == 71)
        #expect(project.backends["local"] != nil)
    }

    @Test func `S0-19 only model-ci may set Production, S0-20 and several may be in it`() throws {
        let project = try load("seed-0")
        let model = try #require(try project.modelDeclarations().first)
        #expect(model.name == "iris-model")
        #expect(model.stages.preset == "mlflow")
        #expect(model.stages.states["Production"] == StageRule(many: true, setBy: ["pipeline:model-ci"]))
        #expect(model.stages.states["Staging"]?.setBy == ["user"])
        #expect(Set(model.stages.states.keys) == ["None", "Staging", "Production", "Archived"])
        let targets = try project.targetValues(in: try scope(project, git: ["branch": "feature/x"]))
        #expect(targets["workspace"]?["root"] == "ml_apps/iris-model/feature/x")
        #expect(targets["aci"]?["group"] == "dev")
    }

    @Test func `S1-6 the matrix names eight images, S1-23 and the notification keeps its secret by name`() throws {
        let project = try load("seed-1")
        let ci = try #require(project.pipeline("ci"))
        let jobs = try project.planJobs(of: ci, in: try project.baseScope())
        #expect(
            jobs.map(\.id).prefix(4) == [
                "lint", "images.code-components-mlflow-project-mlflowproject",
                "images.code-components-azdocallback-azdocallback", "images.code-components-preprocess-preprocess",
            ])
        #expect(jobs.count == 10)
        #expect(jobs.last?.needs.count == 8)
        #expect(jobs[1].matrix["dir"] == "code/components/mlflow-project")
        let rule = try #require(try project.notificationRules(in: try project.baseScope()).first)
        #expect(rule.secret == "TEAMS_HOOK" && rule.channel == nil && rule.use == "teams")
        #expect(rule.when == ["run.started", "run.succeeded", "run.failed", "step.failed"])
        #expect(project.environments["prod"]?.approvals?.from == ["group:ml-leads"])
    }

    @Test func `S2-4 S2-13 variables decide whether training starts and what a loss means`() throws {
        let project = try load("seed-2")
        let ci = try #require(project.pipeline("Model-Train-Register-CI"))
        let values = try ci.checkParameters(given: [:], manual: false, in: try project.baseScope()).get()
        #expect(values == ["auto-trigger-training": true])
        var scope = try project.baseScope()
        scope.params = .object(values)
        let train = try #require(ci.job("train-model"))
        #expect(try train.condition.holds(in: scope))
        scope.params = ["auto-trigger-training": false]
        #expect(try !train.condition.holds(in: scope))
        let evaluate = try #require(train.steps.first { $0.id == "evaluate" })
        scope.steps = ["train": ["run_id": "r.train-model.train", "outcome": "succeeded"]]
        let with = try evaluate.with.evaluate(in: scope)
        #expect(with["on_lose"] == "not_promoted")
        #expect(with["champion"] == "tag:experiment_name=mlopspython")
        #expect(with["challenger"]?["run"] == "r.train-model.train")
    }

    @Test func `S2-24 an empty deployment name skips its job`() throws {
        let project = try load("seed-2")
        let cd = try #require(project.pipeline("Model-Deploy-CD"))
        let scope = try project.baseScope()
        #expect(try cd.job("Deploy_ACI")?.condition.holds(in: scope) == true)
        #expect(try cd.job("Deploy_AKS")?.condition.holds(in: scope) == false)
        let prod = try #require(project.environments["prod"]?.approvals)
        #expect(prod.required == 1 && prod.timeout == .seconds(30 * 86_400) && prod.onTimeout == .reject)
    }

    @Test func `S2-22 a build id by hand wins over the upstream run, which wins when there is none`() throws {
        let project = try load("seed-2")
        let cd = try #require(project.pipeline("Model-Deploy-CD"))
        var scope = try project.baseScope()
        scope.upstream = ["run": ["id": "up"]]
        scope.params = .object(try cd.checkParameters(given: [:], manual: false, in: scope).get())
        let fetch = try #require(cd.job("Deploy_ACI")?.steps.first)
        #expect(try fetch.with.evaluate(in: scope)["run"] == "up")
        scope.params = .object(try cd.checkParameters(given: [:], manual: true, in: scope).get())
        #expect(try fetch.with.evaluate(in: scope)["run"] == "latest")
    }

    @Test func `S3-17 S3-19 own stages make room as declared`() throws {
        let project = try load("seed-3")
        let stages = try #require(try project.modelDeclarations().first).stages
        #expect(stages.preset == "own" && stages.tag == "stage")
        #expect(
            stages.states["staged"]
                == StageRule(many: false, replacedBecomes: "unstaged", setBy: ["pipeline:model-cd"]))
        #expect(stages.states["surpassed"] == StageRule(many: true))
        let deployment = try #require(project.pipeline("model-cd")?.job("deployment"))
        var scope = try project.baseScope()
        scope.needs = ["evaluation": ["champion": "3", "winning": "4"]]
        #expect(try deployment.recheck?.championUnchanged.evaluate(in: scope) == "3")
        let pin = try #require(project.pipeline("model-cd")?.job("evaluation")?.steps.first)
        #expect(try pin.with["challenger"]?.evaluate(in: scope) == "latest")
        scope.event = ["model": ["version": 4]]
        #expect(try pin.with["challenger"]?.evaluate(in: scope) == 4)
    }

    @Test func `S4-5 defaults reach the steps that know them, and the environment names the model`() throws {
        let project = try load("seed-4")
        let churn = try #require(project.pipeline("churn"))
        let setup = try #require(churn.job("setup")?.steps.first)
        #expect(setup.with["backend"] == .literal("databricks"))
        #expect(setup.with["cluster"] == .literal("telco_churn_mlops_jobc"))
        #expect(try project.modelDeclarations(environment: "prod").first?.name == "e2e_mlops_telco_churn_prod")
        #expect(
            try project.modelDeclarations().first?.stages.states["Production"]
                == StageRule(many: false, replacedBecomes: "Archived"))
        #expect(churn.concurrency?.onConflict == .skip)
        let daily = Schedule(cron: try Cron("0 9 * * *"), timeZone: "UTC", catchUp: .last)
        #expect(churn.triggers.contains(.schedule(daily)))
        let planned = try project.planJobs(of: churn, in: try project.baseScope(environment: "prod"))
        #expect(planned.map(\.id) == ["setup", "featurization", "training", "model-transition"])
        #expect(planned.allSatisfy { $0.environment == "prod" })
    }

    @Test func `the example of this repository holds`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "Examples/diabetes/martlet.yml"), encoding: .utf8)
        let project = try read(text).get()
        let pipelines = ["PR-checks", "Model-Train-Register-CI", "Model-Deploy-CD"]
        #expect(project.pipelines.map(\.name) == pipelines)
        let cause = CauseFacts.pipelineFinished(pipeline: pipelines[1], branch: "main", outcome: .notPromoted)
        #expect(project.verdict(for: cause, pipeline: pipelines[2]).isMatch == false)
    }

    private func scope(_ project: Project, git: JSONValue) throws -> Scope {
        var scope = try project.baseScope()
        scope.git = git
        return scope
    }
}
