import Foundation
import Processes
import Synchronization

/// A forge with one repository, and what every mirror of it has fetched: `git` as trigger-service calls it.
final class Forge: Sendable {
    static let url = "https://forge.example/demo.git"

    struct Commit: Sendable {
        var parent: String?
        var message: String
        var file: String
    }

    private struct State {
        var commits: [String: Commit] = [:]
        var branches: [String: String] = [:]
        /// What a mirror had when it last fetched: on a disk that survives everything.
        var mirrors: [String: [String: String]] = [:]
        var isDown = false
    }

    private let state = Mutex(State())

    var isDown: Bool {
        get { state.withLock { $0.isDown } }
        set { state.withLock { $0.isDown = newValue } }
    }

    var pushes: Int { state.withLock { $0.commits.count } }

    func push(_ branch: String = "main", file: String) {
        state.withLock { state in
            let sha = String(format: "%040x", state.commits.count + 1)
            let message = "change \(state.commits.count + 1)"
            state.commits[sha] = Commit(parent: state.branches[branch], message: message, file: file)
            state.branches[branch] = sha
        }
    }

    // MARK: git

    private struct Unreachable: Error {}

    var git: @Sendable ([String], Duration) async throws -> CommandOutput {
        { [self] arguments, _ in
            try await Task.sleep(for: .milliseconds(Int.random(in: 2...30)))
            return answer(arguments)
        }
    }

    private func answer(_ arguments: [String]) -> CommandOutput {
        if let text = text(arguments) { return CommandOutput(end: .code(0), output: Data(text.utf8), errors: "") }
        return CommandOutput(end: .code(128), output: Data(), errors: "fatal: not to be had")
    }

    private func text(_ arguments: [String]) -> String? {
        let mirror = arguments.first.flatMap { $0.hasPrefix("--git-dir=") ? String($0.dropFirst(10)) : nil }
        var words = mirror == nil ? arguments[...] : arguments.dropFirst()
        while words.first == "-c" { words = words.dropFirst(2) }
        guard let command = words.first else { return nil }
        return state.withLock { state in
            switch command {
            case "ls-remote": state.isDown ? nil : Self.list(state.branches)
            case "init": Self.make(words.last ?? "")
            case "fetch": Self.fetch(mirror, &state)
            case "for-each-ref":
                (state.mirrors[mirror ?? ""] ?? [:]).sorted { $0.key < $1.key }
                    .map { "\($0.value)   refs/heads/\($0.key)" }.joined(separator: "\n")
            default: Self.look(command, words.dropFirst(), state)
            }
        }
    }

    private static func list(_ branches: [String: String]) -> String {
        var lines = branches.sorted { $0.key < $1.key }.map { "\($0.value)\trefs/heads/\($0.key)" }
        if branches["main"] != nil { lines.insert("ref: refs/heads/main\tHEAD", at: 0) }
        return lines.joined(separator: "\n")
    }

    private static func make(_ path: String) -> String? {
        FileManager.default.createFile(atPath: path + "/HEAD", contents: Data("ref: refs/heads/main".utf8)) ? "" : nil
    }

    private static func fetch(_ mirror: String?, _ state: inout State) -> String? {
        guard !state.isDown, let mirror else { return nil }
        state.mirrors[mirror] = state.branches
        return ""
    }

    private static func look(_ command: String, _ words: ArraySlice<String>, _ state: State) -> String? {
        let names = words.compactMap { word in
            let name = word.replacing("^{commit}", with: "")
            return state.commits[name].map { (name, $0) }
        }
        switch command {
        case "rev-parse": return names.first?.0
        case "cat-file" where words.first == "-e": return names.isEmpty ? nil : ""
        case "cat-file": return words.last.flatMap { state.commits[$0]?.file }
        case "diff-tree": return "train.py\0martlet.yml"
        case "ls-tree" where words.contains("-l"):
            return names.first.map { "100644 blob \($0.0) \($0.1.file.utf8.count)\tmartlet.yml\0" }
        case "ls-tree": return "martlet.yml\0train.py\0"
        case "merge-base": return names.first?.0
        case "show": return names.first.map { "Ann\0ann@example.org\0\($0.1.message)\n" }
        case "archive":
            guard let file = words.first(where: { $0.hasPrefix("--output=") })?.dropFirst(9), let commit = names.first
            else { return nil }
            let made = FileManager.default.createFile(atPath: String(file), contents: Data(commit.0.utf8))
            return made ? "" : nil
        default: return nil
        }
    }
}
