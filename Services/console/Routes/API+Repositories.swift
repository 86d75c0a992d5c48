import Foundation
import Hummingbird
import Messages
import ServiceKit
import Store

extension API {
    func addRepositories(_ routes: Routes) {
        routes.get("/repositories") { call in
            let page = try call.page()
            return Reply(try await store.read { db in try ListQueries.repositories(page, db) })
        }
        routes.get("/projects") { call in
            let page = try call.page()
            return Reply(try await store.read { db in try ListQueries.projects(page, db) })
        }
        routes.post("/repositories", .operator) { call in
            let body = RepositoryAddRequested(
                repository: try Self.repositoryName(try call.text("repository")),
                url: try Self.repositoryURL(try call.text("url")), pollSeconds: try Self.pollSeconds(call.body),
                branches: try call.texts("branches"), forge: try call.optionalText("forge", most: 50),
                forgeURL: try call.optionalText("forgeURL").map(Self.repositoryURL),
                webhookSecret: try call.optionalText("webhookSecret", most: 200),
                ignoreForks: call.body["ignoreForks"]?.bool)
            return try await accept(
                body, call, subject: "repository/\(body.repository)", key: "repository/\(body.repository)")
        }
        routes.delete("/repositories/{name}", .operator) { call in
            let name = try call.path("name")
            let known = try await store.read { db in try ListQueries.repositoryNames(db) }
            guard known.contains(name) else {
                throw Refusal.missing("repository", name, among: known, list: "martlet repo list")
            }
            return try await accept(
                RepositoryRemoveRequested(repository: name), call, subject: "repository/\(name)",
                key: "repository/\(name)")
        }
    }

    private static func repositoryName(_ name: String) throws -> String {
        let allowed = name.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
        }
        guard allowed, name.utf8.count <= 100, !name.hasPrefix("."), !name.hasPrefix("-") else {
            throw Refusal(
                400, "'\(name)' cannot be a repository's name",
                hint: "use letters, digits, '.', '_' and '-', beginning with a letter or digit")
        }
        return name
    }

    private static func repositoryURL(_ url: String) throws -> String {
        // Events are for everybody to read: what opens a repository must not be in them.
        if let components = URLComponents(string: url), components.password != nil {
            throw Refusal(
                400, "the URL holds a password", hint: "put it into git's credential store and leave it out here")
        }
        // git reads a leading dash as an option.
        guard !url.hasPrefix("-"), !url.utf8.contains(where: { $0 < 32 }) else {
            throw Refusal(400, "'\(url)' is neither a path nor a URL", hint: "give an absolute path or a git URL")
        }
        return url
    }

    private static func pollSeconds(_ body: JSONValue) throws -> Double? {
        guard let value = body["pollSeconds"], value != .null else { return nil }
        guard let seconds = value.double, (0.05...86_400).contains(seconds) else {
            throw Refusal(400, "'pollSeconds' is not a number from 0.05 to 86400", hint: "leave it out for the default")
        }
        return seconds
    }
}
