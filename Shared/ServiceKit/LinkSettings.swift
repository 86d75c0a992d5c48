import Foundation

/// Where people reach the console, from the environment: links in events and messages begin with it.
package struct LinkSettings: Sendable, Hashable {
    /// Without a slash at its end; `nil` where none is set.
    package let publicURL: String?

    /// - Throws: ``LinkSettingsError`` where it is set and no address.
    package init(environment: [String: String]) throws(LinkSettingsError) {
        let key = "MARTLET_PUBLIC_URL"
        guard let text = environment[key], !text.isEmpty else {
            publicURL = nil
            return
        }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host?.isEmpty == false else {
            throw LinkSettingsError(
                description: "settings: \(key): '\(text)' is not an address as https://martlet.example.org")
        }
        publicURL = text.hasSuffix("/") ? String(text.dropLast()) : text
    }
}

package struct LinkSettingsError: Error, CustomStringConvertible, Hashable {
    package let description: String
}
