import Messages
import ProjectFile

/// What a run goes by: the pipeline of its project file, its jobs laid out. The same file and facts give the same plan.
struct RunPlan: Sendable {
    let project: Project
    let pipeline: Pipeline
    let jobs: [PlannedJob]
    private let needed: [[Int]]
    private let cells: [String: [Int]]
    private let own: [String: Set<String>]

    init(project: Project, pipeline: Pipeline, jobs: [PlannedJob]) {
        self.project = project
        self.pipeline = pipeline
        self.jobs = jobs
        let positions = Dictionary(
            jobs.enumerated().map { ($0.element.id, $0.offset) }, uniquingKeysWith: { first, _ in first })
        needed = jobs.map { job in job.needs.compactMap { positions[$0] } }
        cells = Dictionary(grouping: jobs.indices) { jobs[$0].job.id }
        own = Dictionary(pipeline.jobs.map { ($0.id, $0.ownNames) }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter scope: what a matrix can see in an environment.
    /// - Throws: `Refusal` when the file has no such pipeline or its matrix has no value.
    init(_ project: Project, pipeline name: String, in scope: (String?) -> Scope) throws(Refusal) {
        guard let pipeline = project.pipeline(name) else { throw Refusal("the project file has no pipeline '\(name)'") }
        do {
            self.init(project: project, pipeline: pipeline, jobs: try project.planJobs(of: pipeline, in: scope))
        } catch {
            throw Refusal("pipeline '\(name)': \(error)")
        }
    }

    subscript(job: Int) -> Job { jobs[job].job }

    func needs(of job: Int) -> [Int] { needed[job] }

    /// Those that it needs, those that these need, and so on.
    func ancestors(of job: Int) -> Set<Int> {
        var found: Set<Int> = []
        var left = needed[job]
        while let next = left.popLast() {
            if found.insert(next).inserted { left += needed[next] }
        }
        return found
    }

    /// The jobs that were made of the same declaration.
    func cells(like job: Int) -> [Int] { cells[jobs[job].job.id] ?? [] }

    /// What scripts of a job may have in their text: nothing in it comes from outside the project file.
    func ownNames(of job: Int) -> Set<String> { own[jobs[job].job.id] ?? [] }

    func environment(of job: Int) -> Environment? { jobs[job].environment.flatMap { project.environments[$0] } }

    /// How the champion is found that a job's `recheck` speaks of; `nil`: by its model's own selector.
    func comparedSelector(of job: Int) -> String? { jobs[job].job.comparedSelector(among: pipeline.jobs) }

    /// Whether these are the jobs and steps of a run: another version may have laid them out otherwise.
    func fits(_ run: Run) -> Bool {
        newJobs.map(\.id) == run.jobs.map(\.id)
            && zip(newJobs, run.jobs).allSatisfy { $0.steps.map(\.verb) == $1.steps.map(\.verb) }
    }

    /// Jobs and steps before anything happened.
    var newJobs: [RunJob] {
        jobs.map { planned in
            RunJob(id: planned.id, steps: planned.job.steps.map { RunStep(id: $0.id, verb: $0.verb) })
        }
    }
}
