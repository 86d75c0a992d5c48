import Messages

/// The top-level parts of all files together, not yet read.
struct Sections {
    var single: [String: Tree] = [:]
    /// Maps of names that several files may add to.
    var named: [String: [Tree.Entry]] = [:]
    var notify: [Tree] = []
    var groups: [Tree] = []
    /// The variables of `.env` files, by path.
    var variableTexts: [String: [String: JSONValue]] = [:]

    func names(_ section: String) -> [String] { named[section]?.map(\.key) ?? [] }
}

extension Reading {
    private static let singleKeys = ["martlet", "project", "description", "model", "secrets"]
    private static let namedKeys = ["models", "environments", "backends", "targets", "pipelines"]
    static let topKeys = singleKeys + namedKeys + ["variables", "variable_groups", "notify"]

    func gather(_ tree: Tree, of document: ProjectDocument, into sections: inout Sections) {
        if document.path != ProjectReader.mainFile, isOnePipeline(tree) {
            gatherPipeline(tree, of: document, into: &sections)
            return
        }
        guard let fields = fields(tree, of: "the project file", keys: Self.topKeys) else { return }
        for key in Self.singleKeys {
            guard let value = fields[key] else { continue }
            if sections.single[key] != nil, key != "martlet" {
                fail(fields.place(of: key), "'\(key)' is said in another file already")
            }
            sections.single[key] = value
        }
        for key in Self.namedKeys {
            for entry in named(fields[key], of: "'\(key)'") { add(entry, to: key, of: &sections) }
        }
        gatherVariables(fields["variables"], into: &sections)
        if let groups = fields["variable_groups"] { sections.groups.append(groups) }
        gatherNotify(fields["notify"], into: &sections)
        checkVersion(fields, isMain: document.path == ProjectReader.mainFile)
    }

    private func add(_ entry: Tree.Entry, to section: String, of sections: inout Sections) {
        if let other = sections.named[section]?.first(where: { $0.key == entry.key }) {
            fail(
                entry.place,
                "'\(entry.key)' is in '\(section)' already: \(other.place.file), line \(other.place.line)"
            )
            return
        }
        sections.named[section, default: []].append(entry)
    }

    /// `variables.files` names files where it is a list, and is a variable where it is a text.
    private func gatherVariables(_ tree: Tree?, into sections: inout Sections) {
        guard let tree else { return }
        guard case .map(let entries) = tree.value else {
            fail(tree.place, "'variables' is a map of names, not \(tree.kindInWords)")
            return
        }
        for entry in entries {
            if entry.key == "files", case .list = entry.value.value {
                sections.single["variables.files"] = entry.value
            } else if !isIdentifier(entry.key) {
                fail(
                    entry.place,
                    "'\(entry.key)' is no name for a variable: a letter first, then letters, digits, '_', '-'")
            } else {
                add(entry, to: "variables", of: &sections)
            }
        }
    }

    private func gatherNotify(_ tree: Tree?, into sections: inout Sections) {
        guard let tree else { return }
        switch tree.value {
        case .list(let entries): sections.notify += entries
        case .map, .scalar: fail(tree.place, "'notify' is a list of {when, use, channel}, not \(tree.kindInWords)")
        }
    }

    private func checkVersion(_ fields: Fields, isMain: Bool) {
        guard let version = fields["martlet"] else {
            if isMain { fail(fields.place, "the file must say 'martlet: 1', the version of its format") }
            return
        }
        guard version.text != "1" else { return }
        fail(version.place, "this Martlet reads version 1 of the project file, not '\(version.text ?? "")'")
    }

    /// One file per pipeline: its top level is the pipeline itself.
    private func isOnePipeline(_ tree: Tree) -> Bool {
        guard case .map(let entries) = tree.value else { return true }
        return !entries.contains { $0.key == "pipelines" }
    }

    private func gatherPipeline(_ tree: Tree, of document: ProjectDocument, into sections: inout Sections) {
        guard case .map(let entries) = tree.value else {
            fail(tree.place, "a pipeline is a map, not \(tree.kindInWords)")
            return
        }
        let file = document.path.split(separator: "/").last.map(String.init) ?? document.path
        var name = (text: file.split(separator: ".").dropLast().joined(separator: "."), place: tree.place)
        var rest: [Tree.Entry] = []
        for entry in entries {
            switch entry.key {
            case "name": if let own = fixedText(entry.value, "the pipeline's name") { name = (own, entry.value.place) }
            case "martlet":
                if entry.value.text != "1" {
                    fail(
                        entry.value.place,
                        "this Martlet reads version 1 of the project file, not '\(entry.value.text ?? "")'")
                }
            default: rest.append(entry)
            }
        }
        guard isName(name.text) else {
            fail(name.place, "'\(name.text)' is no name: letters, digits, '_', '-' and '.' are allowed, at most 100")
            return
        }
        let pipeline = Tree(place: tree.place, value: .map(rest))
        add(Tree.Entry(key: name.text, place: name.place, value: pipeline), to: "pipelines", of: &sections)
    }
}
