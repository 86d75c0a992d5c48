import Messages

/// Values with expressions. What they refer to is checked where they are read.
extension Reading {
    /// - Parameter raw: scalars stay text, as versions and tags do (`1.10` is no number).
    func template(_ tree: Tree, _ visible: Visible, raw: Bool = false) -> Template {
        switch tree.value {
        case .scalar(let text, _):
            guard text.contains("${{") else {
                return .literal(raw ? .string(tree.isEmpty ? "" : text) : tree.scalar ?? .null)
            }
            let template = textTemplate(text, of: tree)
            check(template, visible)
            return template
        case .list(let items):
            return .list(items.map { template($0, visible, raw: raw) })
        case .map(let entries):
            return .object(templates(entries, visible, raw: raw))
        }
    }

    func templates(_ entries: [Tree.Entry], _ visible: Visible, raw: Bool = false) -> [String: Template] {
        var members: [String: Template] = [:]
        for entry in entries {
            members[entry.key] = template(entry.value, visible, raw: raw || Self.textKeys.contains(entry.key))
        }
        return members
    }

    /// Below these keys a scalar is text, whatever it looks like.
    private static let textKeys: Set<String> = ["version", "tags", "select", "env", "commit"]

    func templates(_ tree: Tree?, of what: String, _ visible: Visible, raw: Bool = false) -> [String: Template] {
        templates(named(tree, of: what), visible, raw: raw)
    }

    /// A scalar template for what ends up as text: a name, a group, a selector.
    func textTemplate(_ tree: Tree?, _ what: String, _ visible: Visible) -> Template? {
        guard let tree, text(tree, what) != nil else { return nil }
        return template(tree, visible, raw: true)
    }

    /// `if:`, with or without `${{ }}` around it.
    func condition(_ tree: Tree?, _ visible: Visible) -> Condition {
        guard let tree, let text = text(tree, "'if'") else { return .success }
        if text.contains("${{") {
            let template = textTemplate(text, of: tree)
            guard case .expression(let expression) = template else {
                // A text that failed to parse has been told already.
                if case .text = template {
                    fail(tree.place, "the whole condition belongs inside one ${{ }}")
                }
                return .success
            }
            check(template, visible)
            return Condition(expression: expression)
        }
        guard let expression = expression(text, at: start(of: tree)) else { return .success }
        check(.expression(expression), visible)
        return Condition(expression: expression)
    }

    /// Where the scalar's text begins: after its quote.
    private func start(of tree: Tree) -> Place {
        var place = tree.place
        if case .scalar(_, plain: false) = tree.value { place.column += 1 }
        return place
    }

    private func textTemplate(_ text: String, of tree: Tree) -> Template {
        var parts: [Template.Part] = []
        var rest = text[...]
        var search = tree.place
        while let open = rest.firstRange(of: "${{") {
            if open.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<open.lowerBound]))) }
            let place = place(ofNextOpeningFrom: search) ?? tree.place
            search = place
            guard let close = end(of: rest[open.upperBound...]) else {
                fail(
                    Place(file: place.file, line: place.line, column: place.column - 3),
                    "this ${{ is never closed by }}")
                return .literal(.null)
            }
            guard let expression = expression(String(rest[open.upperBound..<close]), at: place) else {
                return .literal(.null)
            }
            parts.append(.expression(expression))
            rest = rest[rest.index(close, offsetBy: 2)...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        if parts.count == 1, case .expression(let expression) = parts[0] { return .expression(expression) }
        return .text(parts)
    }

    private func expression(_ text: String, at start: Place) -> Expression? {
        func place(_ offset: Int) -> Place {
            // On a later line of a folded text the column is not known; the beginning is near enough.
            if text.unicodeScalars.prefix(offset).contains("\n") { return start }
            return Place(file: start.file, line: start.line, column: start.column + offset)
        }
        do {
            return try ExpressionParser.parse(text, place: place)
        } catch {
            fail(place(error.offset), error.message)
            return nil
        }
    }

    /// The `}}` that closes, passing over quoted texts.
    private func end(of text: Substring) -> String.Index? {
        var quote: Character?
        var index = text.startIndex
        while index < text.endIndex {
            let character = text[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
            } else if text[index...].hasPrefix("}}") {
                return index
            }
            index = text.index(after: index)
        }
        return nil
    }

    /// The place right behind the next `${{` of the file: what YAML makes of a text keeps their order.
    private func place(ofNextOpeningFrom start: Place) -> Place? {
        var number = start.line
        var skip = start.column - 1
        while let line = line(number, of: start.file) {
            let scalars = Array(line)
            var index = skip
            while index + 2 < scalars.count {
                if scalars[index] == "$", scalars[index + 1] == "{", scalars[index + 2] == "{" {
                    return Place(file: start.file, line: number, column: index + 4)
                }
                index += 1
            }
            number += 1
            skip = 0
        }
        return nil
    }
}
