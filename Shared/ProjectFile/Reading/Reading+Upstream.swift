/// `upstream.outputs.JOB.NAME`: what a pipeline is to find in the run that started it.
struct UpstreamCheck {
    /// In which it stands.
    var pipeline: String
    var reference: Expression.Reference
    var job: String
    var output: String?
}

/// Checked once all pipelines are known, because one may follow another that stands below.
extension Reading {
    func noteUpstream(_ reference: Expression.Reference, in pipeline: String?) {
        guard let pipeline else { return }
        for beginning in [["outputs"], ["run", "outputs"]] where reference.path.starts(with: beginning) {
            let names = Array(reference.path.dropFirst(beginning.count))
            guard let job = names.first else { continue }
            upstreams.append(
                UpstreamCheck(pipeline: pipeline, reference: reference, job: job, output: names.dropFirst().first))
        }
    }

    func checkUpstreams(of pipelines: [Pipeline]) {
        for check in upstreams {
            let names = pipelines.first { $0.name == check.pipeline }?.followed ?? []
            // One that follows nothing has nothing upstream; a name that leads nowhere was told where it stands.
            let followed = pipelines.filter { names.contains($0.name) }
            if followed.isEmpty || followed.count < names.count { continue }
            let place = check.reference.place
            let unknown = "unknown reference '\(check.reference.text)': "
            let known = followed.filter { $0.job(check.job) != nil }
            if known.isEmpty {
                let jobs = Set(followed.flatMap(\.jobs).map(\.id)).sorted()
                failIfNew(
                    place,
                    unknown + "there is no job '\(check.job)' in \(Self.list(followed))"
                        + suggestion(for: check.job, among: jobs))
                continue
            }
            let jobs = known.compactMap { $0.job(check.job) }
            // The cells of a matrix have names of their own.
            guard let output = check.output, jobs.allSatisfy({ $0.matrix == nil && $0.outputs[output] == nil }) else {
                continue
            }
            let outputs = Set(jobs.flatMap(\.outputs.keys)).sorted()
            failIfNew(
                place,
                unknown + "job '\(check.job)' of \(Self.list(known)) has no output '\(output)'"
                    + suggestion(for: output, among: outputs))
        }
    }

    private static func list(_ pipelines: [Pipeline]) -> String {
        pipelines.map { "'\($0.name)'" }.joined(separator: ", ")
    }
}
