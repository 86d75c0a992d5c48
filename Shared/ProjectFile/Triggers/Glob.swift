/// A pattern of files or of types of events as shells have them: `*` and `?` stop at `/`, `**` does not; a trailing `/`
/// means the folder. In filters `?` is none or one of what precedes it, and `+` one or more.
package struct Glob: Sendable, Hashable {
    package let text: String
    private var parts: [Part] = []
    /// Places in `parts` that may be left out, and those that may come again.
    private var optional: Set<Int> = []
    private var repeated: Set<Int> = []

    private enum Part: Sendable, Hashable {
        case scalar(Unicode.Scalar)
        case oneOf(Set<Unicode.Scalar>)
        case any
        case anyRun
        case anyPath
        /// The next two parts, `**` and `/`, may be left out.
        case maybeTwo
    }

    package init(_ text: String) { self.init(text, quantifiers: false) }

    /// A pattern of branches, tags or changed files as in GitHub Actions ("Filter pattern cheat sheet").
    static func filter(_ text: String) -> Glob { Glob(text, quantifiers: true) }

    private init(_ text: String, quantifiers: Bool) {
        self.text = text
        let whole = text.hasSuffix("/") ? text + "**" : text
        read(Array(whole.unicodeScalars), quantifiers: quantifiers)
    }

    private mutating func read(_ scalars: [Unicode.Scalar], quantifiers: Bool) {
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            switch scalar {
            case "?" where quantifiers && !parts.isEmpty: optional.insert(parts.count - 1)
            case "+" where quantifiers && !parts.isEmpty: repeated.insert(parts.count - 1)
            case "*" where index < scalars.count && scalars[index] == "*":
                while index < scalars.count, scalars[index] == "*" { index += 1 }
                // `a/**/b` is `a/b` too: the folders between may be none.
                let startsSegment = parts.isEmpty || parts.last == .scalar("/")
                if startsSegment, index < scalars.count, scalars[index] == "/" { parts.append(.maybeTwo) }
                parts.append(.anyPath)
            case "*": parts.append(.anyRun)
            case "?" where !quantifiers: parts.append(.any)
            case "[":
                if let (set, end) = Self.set(in: scalars, from: index) {
                    parts.append(.oneOf(set))
                    index = end
                } else {
                    parts.append(.scalar(scalar))
                }
            case "\\" where index < scalars.count:
                parts.append(.scalar(scalars[index]))
                index += 1
            default: parts.append(.scalar(scalar))
            }
        }
    }

    /// `[abc]`, `[a-z]`; `nil` where the bracket is never closed or the set would be large.
    private static func set(in scalars: [Unicode.Scalar], from start: Int) -> (Set<Unicode.Scalar>, Int)? {
        guard let end = scalars[start...].firstIndex(of: "]"), end > start else { return nil }
        var set: Set<Unicode.Scalar> = []
        var index = start
        while index < end {
            if index + 2 < end, scalars[index + 1] == "-" {
                let (low, high) = (scalars[index].value, scalars[index + 2].value)
                guard low <= high, high < 128 else { return nil }
                set.formUnion((low...high).compactMap(Unicode.Scalar.init))
                index += 3
            } else {
                set.insert(scalars[index])
                index += 1
            }
        }
        return (set, end + 1)
    }

    /// Time is bounded by pattern times text: the set of reachable places in the pattern is carried along the text.
    package func matches(_ candidate: String) -> Bool {
        var reached = closure([0])
        for scalar in candidate.unicodeScalars {
            var next: Set<Int> = []
            for place in reached where place < parts.count { step(from: place, over: scalar, into: &next) }
            if next.isEmpty { return false }
            reached = closure(next)
        }
        return reached.contains(parts.count)
    }

    private func step(from place: Int, over scalar: Unicode.Scalar, into next: inout Set<Int>) {
        switch parts[place] {
        case .scalar(let wanted):
            if wanted == scalar { leave(place, into: &next) }
        case .oneOf(let set):
            if set.contains(scalar) { leave(place, into: &next) }
        case .any:
            if scalar != "/" { leave(place, into: &next) }
        case .anyRun:
            if scalar != "/" { next.insert(place) }
        case .anyPath:
            next.insert(place)
        case .maybeTwo:
            break
        }
    }

    private func leave(_ place: Int, into next: inout Set<Int>) {
        next.insert(place + 1)
        if repeated.contains(place) { next.insert(place) }
    }

    /// Places that can be reached without reading anything.
    private func closure(_ places: Set<Int>) -> Set<Int> {
        var open = Array(places)
        var result = places
        func reach(_ place: Int) {
            if result.insert(place).inserted { open.append(place) }
        }
        while let place = open.popLast() {
            guard place < parts.count else { continue }
            if optional.contains(place) { reach(place + 1) }
            switch parts[place] {
            case .anyRun, .anyPath: reach(place + 1)
            case .maybeTwo:
                reach(place + 1)
                reach(place + 3)
            case .scalar, .oneOf, .any: continue
            }
        }
        return result
    }
}
