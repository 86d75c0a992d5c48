import Messages

/// A step's `with`, read with errors that name the key.
struct StepInput: Sendable {
    let work: StepWork

    /// `with.model`, else the project's own.
    func model() throws(Refusal) -> String {
        if let name = try text("model") { return name }
        guard let name = work.run.model else {
            throw Refusal("with.model is missing, and project '\(work.run.project)' declares no model")
        }
        return name
    }

    /// A scalar as text; `nil` when absent, null or empty, as an output that was never set is.
    func text(_ key: String) throws(Refusal) -> String? {
        guard let value = work.with[key], value != .null else { return nil }
        guard let text = value.scalarText else { throw Refusal("with.\(key): write a text") }
        return text.isEmpty ? nil : text
    }

    func required(_ key: String) throws(Refusal) -> String {
        guard let text = try text(key) else { throw Refusal("\(work.verb): with.\(key) is missing or empty") }
        return text
    }

    func selector(_ key: String) throws(Refusal) -> VersionSelector {
        guard let value = work.with[key], value != .null, value != "" else {
            throw Refusal("\(work.verb): with.\(key) is missing or empty")
        }
        guard let selector = VersionSelector(value) else {
            let written = value.scalarText.map { "'\($0)' is" } ?? "this is"
            throw Refusal("with.\(key): \(written) no version; write \(VersionSelector.forms)")
        }
        return selector
    }

    /// `false` where it is absent.
    func flag(_ key: String) throws(Refusal) -> Bool {
        guard let text = try text(key) else { return false }
        guard let flag = Bool(text) else { throw Refusal("with.\(key): write true or false") }
        return flag
    }

    /// One of a closed list of words.
    func word<Word: RawRepresentable & CaseIterable>(
        _ key: String, default standard: Word
    ) throws(Refusal) -> Word where Word.RawValue == String {
        guard let text = try text(key) else { return standard }
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal("with.\(key): '\(text)' is not one of \(known)")
        }
        return word
    }
}

/// What `registry/resolve` does when nothing matches.
enum OnNone: String, CaseIterable, Sendable {
    case fail
    case notPromoted = "not_promoted"
    case skip

    var outcome: Outcome {
        switch self {
        case .fail: .failed
        case .notPromoted: .notPromoted
        case .skip: .skipped
        }
    }
}
