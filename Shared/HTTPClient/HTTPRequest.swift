import Foundation

/// One HTTP request. The limits have defaults so that nothing waits, or grows, for ever.
package struct HTTPRequest: Sendable {
    package var method: String
    /// `http` or `https`; anything else is refused.
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: Data?
    /// Of the whole exchange; `nil` for none (a followed log).
    package var timeout: Duration?
    package var connectTimeout: Duration
    /// How long the exchange may stand still; `nil` for ever. In whole seconds.
    package var stallTimeout: Duration?
    package var maxResponseBytes: Int
    /// A socket file to connect to; the URL's host is then only a header.
    package var unixSocket: String?
    /// How many redirects are followed; 0 gives the redirect itself as the response.
    package var maxRedirects: Int
    /// Refuses to connect to this machine or a private network, whatever name leads there: for addresses that others
    /// gave. No proxy is used then, for nobody could see where it connects to.
    package var onlyPublic: Bool

    package init(
        method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: Data? = nil,
        timeout: Duration? = .seconds(30), connectTimeout: Duration = .seconds(10), stallTimeout: Duration? = nil,
        maxResponseBytes: Int = 10 << 20, unixSocket: String? = nil, maxRedirects: Int = 0,
        onlyPublic: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.stallTimeout = stallTimeout
        self.maxResponseBytes = maxResponseBytes
        self.unixSocket = unixSocket
        self.maxRedirects = maxRedirects
        self.onlyPublic = onlyPublic
    }
}

extension HTTPRequest {
    /// What only a caller can have got wrong; checked before a transfer exists.
    func problem() -> String? {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            return "the address is neither http:// nor https://"
        }
        let token = method.utf8.allSatisfy { (65...90).contains($0) || (97...122).contains($0) || $0 == 45 }
        guard token, !method.isEmpty else { return "'\(method)' is not an HTTP method" }
        // A line break in a header would smuggle another header in, one in the URL another request.
        guard !url.utf8.contains(where: { $0 < 33 || $0 == 127 }) else { return "the address has a blank in it" }
        for (name, value) in headers {
            guard !name.isEmpty, !name.utf8.contains(where: { $0 < 33 || $0 == 58 || $0 == 127 }),
                !value.utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == 0 })
            else { return "the header '\(name.prefix(40))' has a character that headers cannot have" }
        }
        return nil
    }

    /// The only part of the address that errors show: paths and queries may hold tokens.
    var place: String {
        if let unixSocket { return unixSocket }
        return URLComponents(string: url).map {
            [$0.host, $0.port.map(String.init)].compactMap(\.self).joined(separator: ":")
        }
            ?? "the address"
    }

    var isLoopback: Bool {
        guard unixSocket == nil else { return true }
        return ["127.0.0.1", "localhost", "[::1]", "::1"].contains(URLComponents(string: url)?.host ?? "")
    }
}
