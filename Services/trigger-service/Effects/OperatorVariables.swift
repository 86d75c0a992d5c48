import Foundation
import Messages
import ProjectFile

/// Variables that an operator keeps beside the repositories: groups as `<data>/variables/<group>.env`, and single ones
/// in the service's environment as `MARTLET_VAR_<NAME>`. Read when they are used: a changed file counts at once.
struct OperatorVariables: Sendable {
    /// `nil`: there are only the groups that were handed in.
    private let folder: String?
    private let groups: [String: [String: JSONValue]]
    let overriding: [String: JSONValue]

    /// Where groups are looked for, in words.
    var place: String { folder == nil ? "among the files of --vars" : "under variables/ in the data folder" }

    /// Values as somebody hands them in.
    init(groups: [String: [String: JSONValue]], overriding: [String: JSONValue]) {
        (folder, self.groups, self.overriding) = (nil, groups, overriding)
    }

    init(folder: String, environment: [String: String]) {
        (self.folder, groups) = (folder, [:])
        let prefix = "MARTLET_VAR_"
        let lines = environment.filter { $0.key.hasPrefix(prefix) && !$0.value.contains("\n") }
            .map { "\($0.key.dropFirst(prefix.count))=\($0.value)" }
        overriding = EnvironmentText(ProjectDocument(path: "environment", text: lines.joined(separator: "\n"))).values
    }

    /// The project with their values, and the groups that are not there.
    func equip(_ project: Project) -> (project: Project, missing: [String]) {
        var project = project
        var missing: [String] = []
        for group in project.variableGroups {
            guard let values = values(of: group) else {
                missing.append(group)
                continue
            }
            project.groupValues.merge(values) { $1 }
        }
        project.overridingValues = overriding
        return (project, missing)
    }

    /// The same for a file that a stranger wrote, as in a fork's pull request: a name there is no reason to show a value.
    ///
    /// - Parameter ours: the default branch's file. It decides: groups that it names too, variables that it knows, and
    ///   nothing that bears a secret's name. `nil`: nothing.
    func equip(strangers project: Project, like ours: Project?) -> Project {
        guard let ours else { return project }
        var allowed = project
        allowed.variableGroups = project.variableGroups.filter(ours.variableGroups.contains)
        allowed = equip(allowed).project
        let known = ours.variableNames
        allowed.groupValues = allowed.groupValues.filter { !ours.secrets.contains($0.key) }
        allowed.overridingValues = allowed.overridingValues.filter {
            known.contains($0.key) && !ours.secrets.contains($0.key)
        }
        return allowed
    }

    /// Names are checked, so that none leaves the folder.
    private func values(of group: String) -> [String: JSONValue]? {
        guard let folder else { return groups[group] }
        guard GitNames.isRepository(group),
            let data = FileManager.default.contents(atPath: "\(folder)/\(group).env"),
            let text = String(data: data, encoding: .utf8)
        else { return nil }
        return EnvironmentText(ProjectDocument(path: group, text: text)).values
    }
}
