/// MLflow's patterns, of which `LIKE` minds the case and `ILIKE` does not. SQLite's own `LIKE` does not; its `GLOB` does.
enum LikePattern {
    static func glob(_ pattern: String) -> String {
        var glob = ""
        for character in pattern {
            switch character {
            case "%": glob += "*"
            case "_": glob += "?"
            case "*", "?", "[": glob += "[\(character)]"
            default: glob.append(character)
            }
        }
        return glob
    }
}
