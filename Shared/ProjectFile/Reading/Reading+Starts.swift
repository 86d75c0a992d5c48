import Messages

/// A step that starts a pipeline of the same file with values that are known before anything runs.
struct PipelineStartCheck {
    var pipeline: String
    /// Where the values stand, or the step where there are none.
    var place: Place
    var values: [String: Template]
    /// Where each value's name stands, and the value itself.
    var places: [String: (name: Place, value: Place)]
}

/// What `pipeline/start` hands on is checked once all pipelines are known, because it may start one that stands below.
extension Reading {
    /// Remembers such a step; what only a run decides is left to the run.
    func noteStart(_ members: [String: Template], _ with: Tree?, _ step: Place, _ setting: StepSetting) {
        // Another branch has its own file.
        guard let pipeline = members["pipeline"].flatMap({ settled($0, setting)?.scalarText }),
            members["branch"] == nil
        else { return }
        var place = step
        var places: [String: (name: Place, value: Place)] = [:]
        if let with, case .map(let entries) = with.value, let entry = entries.first(where: { $0.key == "parameters" }) {
            place = entry.value.place
            if case .map(let values) = entry.value.value {
                for value in values { places[value.key] = (value.place, value.value.place) }
            }
        }
        let values: [String: Template]
        switch members["parameters"] ?? .literal(.null) {
        case .object(let members): values = members
        case .literal(.null): values = [:]
        case .expression: return
        case .literal, .text, .list:
            return fail(place, "'parameters' of 'pipeline/start' is a map of names and values")
        }
        starts.append(
            PipelineStartCheck(
                pipeline: pipeline, place: place,
                values: values.mapValues { settled($0, setting).map(Template.literal) ?? $0 }, places: places))
    }

    func checkStarts(of pipelines: [Pipeline]) {
        for start in starts {
            // A name that leads nowhere was told where it stands.
            guard let pipeline = pipelines.first(where: { $0.name == start.pipeline }) else { continue }
            let declared = pipeline.parameters(manual: true)
            for name in start.values.keys.sorted() where !declared.contains(where: { $0.name == name }) {
                fail(
                    start.places[name]?.name ?? start.place,
                    "pipeline '\(pipeline.name)' has no parameter '\(name)'"
                        + suggestion(for: name, among: declared.map(\.name)))
            }
            for parameter in declared { check(parameter, start, of: pipeline) }
        }
    }

    private func check(_ parameter: Parameter, _ start: PipelineStartCheck, of pipeline: Pipeline) {
        let place = start.places[parameter.name]?.value ?? start.place
        let value = start.values[parameter.name] ?? .literal(.null)
        guard value != .literal(.null) else {
            if parameter.required, parameter.default == nil {
                fail(place, "pipeline '\(pipeline.name)' needs the parameter '\(parameter.name)'")
            }
            return
        }
        switch value {
        case .expression, .text: return
        case .list, .object:
            fail(place, "parameter '\(parameter.name)' of '\(pipeline.name)' is one value, not a list or a map")
        case .literal(let given):
            do throws(ParameterProblem) {
                _ = try parameter.checked(given)
            } catch {
                fail(place, "pipeline '\(pipeline.name)': \(error.message)")
            }
        }
    }
}
