import Messages

/// Columns that stand under one another; two blanks between them, nothing behind the last.
struct Table {
    struct Column {
        var title: String
        var text: (JSONValue) -> String
    }

    var columns: [Column]

    init(_ columns: [(String, (JSONValue) -> String)]) {
        self.columns = columns.map { Column(title: $0.0, text: $0.1) }
    }

    /// Each column a member of the row.
    init(keys columns: [(String, String)]) {
        self.init(columns.map { title, key in (title, { $0.text(key) }) })
    }

    func render(_ rows: [JSONValue], empty: String) -> String {
        guard !rows.isEmpty else { return empty }
        let cells = [columns.map(\.title)] + rows.map { row in columns.map { oneLine($0.text(row)) } }
        let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(
                separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    private func oneLine(_ text: String) -> String {
        let line = text.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? ""
        let first = line.printable
        return first.count > 80 ? first.prefix(79) + "…" : first
    }
}

extension JSONValue {
    /// A member as a person reads it; `-` for nothing.
    func text(_ key: String) -> String {
        switch self[key] {
        case nil, .null: "-"
        case .string(let text): text.isEmpty ? "-" : text
        case .some(let value): value.scalarText ?? (try? String(decoding: Wire.encode(value), as: UTF8.self)) ?? "-"
        }
    }

    /// An RFC 3339 member without its fraction and letters: `2026-01-31 12:00:00`.
    func time(_ key: String) -> String {
        let text = text(key)
        guard text.count >= 19 else { return text }
        return text.prefix(19).split(separator: "T").joined(separator: " ")
    }

    func seconds(_ key: String) -> String {
        guard let seconds = self[key]?.double else { return "-" }
        return "\((seconds * 10).rounded() / 10) s"
    }

    var items: [JSONValue] { self["items"]?.array ?? [] }

    /// The seven letters that people use of a commit.
    var commit: String { self["sha"]?.string.map { String($0.prefix(7)) } ?? "-" }

    /// `running`, `canceling`, or how it ended.
    var standing: String {
        if let outcome = self["outcome"]?.string { return outcome }
        return self["canceling"]?.string == nil ? text("state") : "canceling"
    }
}
