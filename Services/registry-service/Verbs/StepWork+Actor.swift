import Messages

extension StepWork {
    /// In whose name a step changes a model.
    var actor: Actor { Actor(name: "pipeline:\(run.pipeline)") }
}
