import Messages
import Yams

/// Turns YAML text into a tree through Yams' nodes, with a bound on what aliases may grow to.
///
/// Yams expands aliases while it composes, and compares keys by what they hold, so a few nested anchors would keep it
/// busy for ever. Therefore the `*` of aliases is hidden from it: each becomes a plain scalar that is expanded here.
struct TreeComposer {
    private let path: String
    private let text: String
    private var anchors: [String: (tree: Tree, size: Int)] = [:]
    private var size = 0
    private(set) var errors: [FileError] = []

    /// Private-use characters: one for `*`, and a range from which duplicate keys take another name.
    private static let star: Unicode.Scalar = "\u{E000}"
    private static let privateUse: ClosedRange<Unicode.Scalar> = "\u{E000}"..."\u{F8FF}"

    private struct TooLarge: Error {
        var place: Place
        var message: String
    }

    init(_ document: ProjectDocument) {
        path = document.path
        text = document.text
    }

    /// `nil` when there is nothing to read; `errors` says why, if anything is wrong.
    mutating func compose() -> Tree? {
        let start = Place(file: path, line: 1, column: 1)
        guard text.utf8.count <= ReadingLimits.bytes else {
            errors.append(start.error("the file is larger than \(ReadingLimits.bytes >> 10) KiB"))
            return nil
        }
        var scalars = Array(text.unicodeScalars)
        if let odd = scalars.firstIndex(where: Self.privateUse.contains) {
            errors.append(place(ofScalar: odd, in: scalars).error("a private-use character does not belong here"))
            return nil
        }
        for index in scalars.indices where scalars[index] == "*" { scalars[index] = Self.star }
        return compose(scalars)
    }

    private mutating func compose(_ scalars: [Unicode.Scalar]) -> Tree? {
        var search = DuplicateKeys(scalars)
        while true {
            do {
                let parser = try Parser(yaml: String(String.UnicodeScalarView(search.scalars)))
                // Nodes refer to their anchors weakly: the parser holds them.
                return try withExtendedLifetime(parser) {
                    try parser.singleRoot().map { try tree(of: $0, depth: 0) }
                }
            } catch let YamlError.duplicatedKeysInMapping(keys, context) {
                let found = search.rename(keys, after: context.mark)
                for duplicate in found {
                    let place = Place(file: path, line: duplicate.line, column: duplicate.column)
                    let key = Self.restored(duplicate.key)
                    errors.append(place.error("key '\(key)' is there already, in line \(context.mark.line)"))
                }
                guard found.isEmpty else { continue }
                let place = Place(file: path, line: context.mark.line, column: context.mark.column)
                errors.append(place.error("key '\(Self.restored(keys.first ?? ""))' is there more than once"))
                return nil
            } catch let error as TooLarge {
                errors.append(error.place.error(error.message))
                return nil
            } catch {
                errors.append(syntaxError(error))
                return nil
            }
        }
    }

    private mutating func tree(of node: Node, depth: Int) throws -> Tree {
        let place = Place(file: path, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
        guard depth <= ReadingLimits.depth else {
            throw TooLarge(place: place, message: "the file is nested more than \(ReadingLimits.depth) deep")
        }
        try grow(by: 1, at: place)
        let before = size
        let tree: Tree
        switch node {
        case .scalar(let scalar):
            tree = try scalarTree(scalar, place)
        case .sequence(let sequence):
            tree = Tree(place: place, value: .list(try sequence.map { try self.tree(of: $0, depth: depth + 1) }))
        case .mapping(let mapping):
            tree = Tree(place: place, value: .map(try entries(of: mapping, depth: depth + 1)))
        case .alias:
            throw TooLarge(place: place, message: "this alias cannot be read")
        }
        if let anchor = node.anchor { anchors[anchor.rawValue] = (tree, size - before + 1) }
        return tree
    }

    private mutating func scalarTree(_ scalar: Node.Scalar, _ place: Place) throws -> Tree {
        let plain = scalar.style == .plain || scalar.style == .any
        guard plain, scalar.string.unicodeScalars.first == Self.star else {
            return Tree(place: place, value: .scalar(Self.restored(scalar.string), plain: plain))
        }
        let name = String(scalar.string.unicodeScalars.dropFirst())
        guard !name.isEmpty, Anchor.is_cyamlAlpha(name) else {
            let text = Self.restored(scalar.string)
            throw TooLarge(place: place, message: "YAML takes '\(text)' for an alias because of its '*'; quote it")
        }
        guard let known = anchors[name] else {
            let hint = nearest(to: name, among: anchors.keys.sorted()).map { "; did you mean '*\($0)'?" } ?? ""
            throw TooLarge(place: place, message: "there is no anchor '&\(name)' above\(hint)")
        }
        try grow(by: known.size, at: place)
        return known.tree
    }

    private mutating func entries(of mapping: Node.Mapping, depth: Int) throws -> [Tree.Entry] {
        var entries: [Tree.Entry] = []
        var merged: [Tree.Entry] = []
        for (key, value) in mapping {
            let place = Place(file: path, line: key.mark?.line ?? 1, column: key.mark?.column ?? 1)
            guard let text = key.scalar?.string, text.unicodeScalars.first != Self.star else {
                throw TooLarge(place: place, message: "a key is a plain text here")
            }
            let tree = try tree(of: value, depth: depth)
            // A duplicate that was renamed has been told already.
            if text.unicodeScalars.first.map(Self.privateUse.contains) == true { continue }
            if text == "<<" {
                merged += try mergeable(tree, at: place)
            } else {
                entries.append(Tree.Entry(key: Self.restored(text), place: place, value: tree))
            }
        }
        var keys = Set(entries.map(\.key))
        for entry in merged where keys.insert(entry.key).inserted { entries.append(entry) }
        return entries
    }

    /// `<<: *base` and `<<: [*a, *b]`; what stands beside it wins.
    private func mergeable(_ tree: Tree, at place: Place) throws -> [Tree.Entry] {
        switch tree.value {
        case .map(let entries): return entries
        case .list(let trees): return try trees.flatMap { try mergeable($0, at: place) }
        case .scalar: throw TooLarge(place: place, message: "'<<' takes a map, not \(tree.kindInWords)")
        }
    }

    private mutating func grow(by nodes: Int, at place: Place) throws {
        size += nodes
        guard size <= ReadingLimits.nodes else {
            throw TooLarge(
                place: place,
                message: "the file grows beyond \(ReadingLimits.nodes) values once its aliases are expanded"
            )
        }
    }

    private static func restored(_ text: String) -> String {
        guard text.unicodeScalars.contains(star) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == star ? "*" : $0 }))
    }

    private func place(ofScalar index: Int, in scalars: [Unicode.Scalar]) -> Place {
        let before = scalars[..<index]
        let lineStart = before.lastIndex(of: "\n").map { $0 + 1 } ?? 0
        return Place(file: path, line: before.count { $0 == "\n" } + 1, column: index - lineStart + 1)
    }

    private func syntaxError(_ error: any Error) -> FileError {
        guard let error = error as? YamlError else {
            return Place(file: path, line: 1, column: 1).error("the file cannot be read as YAML: \(error)")
        }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let lines = text.unicodeScalars.split(
                separator: "\n", maxSplits: mark.line, omittingEmptySubsequences: false)
            let line = lines.indices.contains(mark.line - 1) ? String(lines[mark.line - 1]) : ""
            let hint = line.contains("${{") ? "; quote a ${{ … }} that stands between braces or before a colon" : ""
            let doing = context.map { $0.text.isEmpty ? "" : $0.text + ": " } ?? ""
            return Place(file: path, line: mark.line, column: mark.column).error("\(doing)\(problem)\(hint)")
        case .reader(let problem, let offset, _, _):
            let scalars = Array(text.unicodeScalars)
            return place(ofScalar: min(offset ?? 0, scalars.count), in: scalars).error(problem)
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded, .duplicatedKeysInMapping:
            return Place(file: path, line: 1, column: 1).error("the file cannot be read as YAML: \(error)")
        }
    }
}
