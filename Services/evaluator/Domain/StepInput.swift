import Messages

extension StepWork {
    /// `with.model`, else the project's own.
    func modelName() throws(Refusal) -> String {
        if let name = try with.text("model") { return name }
        guard let name = run.model else {
            throw Refusal("with.model is missing, and project '\(run.project)' declares no model")
        }
        return name
    }
}

extension JSONValue {
    /// A scalar as text; `nil` when absent, null or empty, as an output that was never set is.
    func text(_ key: String) throws(Refusal) -> String? {
        guard let value = self[key], value != .null else { return nil }
        guard let text = value.scalarText else { throw Refusal("with.\(key): write a text") }
        return text.isEmpty ? nil : text
    }

    /// One of a closed list of words.
    func word<Word: RawRepresentable & CaseIterable>(
        _ key: String, default standard: Word, path: String = "with"
    ) throws(Refusal) -> Word where Word.RawValue == String {
        guard let text = try text(key) else { return standard }
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal("\(path).\(key): '\(text)' is not one of \(known)")
        }
        return word
    }

    /// How much better a challenger must at least be; 0 where it is not said.
    func change(_ key: String) throws(Refusal) -> Double {
        guard let value = self[key], value != .null else { return 0 }
        guard let number = value.double ?? value.string.flatMap({ Double($0) }), number.isFinite, number >= 0 else {
            throw Refusal("with.\(key): write a number of 0 or more")
        }
        return number
    }

    /// A number, also where an expression made a text of it.
    func number(_ key: String, path: String = "with") throws(Refusal) -> Double? {
        guard let value = self[key], value != .null, value != "" else { return nil }
        guard let number = value.double ?? value.string.flatMap({ Double($0) }), number.isFinite else {
            throw Refusal("\(path).\(key): write a number")
        }
        return number
    }

    /// Of a mapping inside `with`: a key that nobody reads is a mistake.
    func refuseOthers(than known: [String], path: String) throws(Refusal) {
        for key in (object ?? [:]).keys.sorted() where !known.contains(key) {
            throw Refusal("\(path) knows no '\(key)': write \(known.joined(separator: ", "))")
        }
    }
}
