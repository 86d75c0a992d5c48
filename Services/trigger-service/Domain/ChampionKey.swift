import Messages

/// A version to beat: of which model, and how it is found.
struct ChampionKey: Sendable, Hashable {
    var model: String
    var selector: String
}

extension RunFacts {
    /// The selectors that models declare, empty where one declares none.
    static func champions(of models: [ModelDeclaration]) -> [String: String] {
        Dictionary(models.map { ($0.name, $0.champion ?? "") }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter compared: the selector that a step compared by; otherwise the model's own counts.
    func champion(of model: String, compared: String?) -> ChampionKey? {
        let own = champions?[model] ?? (model == self.model ? champion : nil)
        guard let selector = compared ?? own, !selector.isEmpty else { return nil }
        return ChampionKey(model: model, selector: selector)
    }
}
