import Foundation
import Messages
import ProjectFile

/// What an operator keeps beside the repositories, handed in for a plan.
struct PlanVariables: Sendable {
    let variables: OperatorVariables
    let isEmpty: Bool
    /// Groups that were handed in one by one: each is meant to be one of the project's.
    private let named: [String]

    /// - Parameters:
    ///   - lines: `NAME=VALUE`, as the service has them from `MARTLET_VAR_<NAME>`.
    ///   - paths: `<group>.env` files, or folders of them as `variables/` in the data folder is.
    /// - Throws: `Refusal` with everything that is wrong with them.
    init(lines: [String], paths: [String]) throws {
        var errors: [String] = []
        var overriding: [String: JSONValue] = [:]
        for line in lines {
            let text = EnvironmentText(ProjectDocument(path: "--var", text: line))
            let shown = line.shortened(to: 100)
            if text.values.count == 1, text.errors.isEmpty {
                overriding.merge(text.values) { $1 }
            } else {
                errors.append("--var '\(shown)': \(text.errors.first?.message ?? "one NAME=VALUE is expected")")
            }
        }
        var groups: [String: [String: JSONValue]] = [:]
        var named: [String] = []
        for path in paths {
            let inside = Self.files(inFolder: path)
            if inside == nil { named.append(Self.group(of: path)) }
            for file in inside ?? [path] {
                do throws(Refusal) {
                    let text = try Self.read(file)
                    errors += text.errors.map(\.description)
                    let isNew = groups.updateValue(text.values, forKey: Self.group(of: file)) == nil
                    if !isNew { errors.append("\(file): the group '\(Self.group(of: file))' was handed in before") }
                } catch {
                    errors.append(error.reason)
                }
            }
        }
        guard errors.isEmpty else { throw Refusal(errors.joined(separator: "\n")) }
        variables = OperatorVariables(groups: groups, overriding: overriding)
        self.named = named
        isEmpty = groups.isEmpty && overriding.isEmpty
    }

    /// - Throws: `Refusal` for a file that is no group of the project's.
    func check(_ project: Project) throws(Refusal) {
        let unknown = named.filter { !project.variableGroups.contains($0) }
        guard let first = unknown.first else { return }
        let known = project.variableGroups
        let groups = known.isEmpty ? "it names none" : "it names \(known.joined(separator: ", "))"
        throw Refusal(
            "'\(first)' is no group under the project's 'variable_groups:'; \(groups). A file counts as the group that"
                + " it is called after; single values are handed in with --var NAME=VALUE")
    }

    private static func group(of file: String) -> String {
        URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    }

    /// `nil`: it is no folder.
    private static func files(inFolder path: String) -> [String]? {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            return nil
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".env") && !$0.hasPrefix(".") }.sorted().map { "\(path)/\($0)" }
    }

    private static func read(_ file: String) throws(Refusal) -> EnvironmentText {
        guard GitNames.isRepository(group(of: file)) else {
            throw Refusal("'\(file)' is called after no group: the values of the group 'shared' are in shared.env")
        }
        guard let data = FileManager.default.contents(atPath: file), let text = String(data: data, encoding: .utf8)
        else { throw Refusal("there is no file '\(file)' that can be read as text") }
        return EnvironmentText(ProjectDocument(path: file, text: text))
    }
}
