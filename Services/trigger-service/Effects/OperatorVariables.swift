import Foundation
import Messages
import ProjectFile

/// Variables that an operator keeps beside the repositories: groups as `<data>/variables/<group>.env`, and single ones
/// in the service's environment as `MARTLET_VAR_<NAME>`. Read when they are used: a changed file counts at once.
struct OperatorVariables: Sendable {
    let folder: String
    let overriding: [String: JSONValue]

    init(folder: String, environment: [String: String]) {
        self.folder = folder
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

    /// Names are checked, so that none leaves the folder.
    private func values(of group: String) -> [String: JSONValue]? {
        guard GitNames.isRepository(group),
            let data = FileManager.default.contents(atPath: "\(folder)/\(group).env"),
            let text = String(data: data, encoding: .utf8)
        else { return nil }
        return EnvironmentText(ProjectDocument(path: group, text: text)).values
    }
}
