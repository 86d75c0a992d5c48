import Foundation
import Messages
import ServiceKit
import Store
import Testing

@testable import Console

struct RuleTests {
    @Test func `minted tokens differ, and only their hash is stored`() {
        let (one, two) = (TokenMint.mint(), TokenMint.mint())
        #expect(one != two)
        #expect(one.secret.count == 64)
        let stored = TokenMint.stored(one, name: "kim", role: .viewer, groups: [])
        #expect(stored.hash == one.digest)
        #expect(stored.hash != two.digest)
        #expect(!"\(stored)".contains(one.secret))
    }

    @Test(arguments: ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]", "martlet.acme.org:80"])
    func `own names are answered`(host: String) {
        let rule = HostRule(further: ["martlet.acme.org"])
        #expect(rule.objection(host: host, origin: nil) == nil)
        #expect(rule.objection(host: host, origin: "http://\(host)") == nil)
    }

    @Test(
        arguments: [nil, "", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "[::2]"]
            as [String?])
    func `foreign names are refused`(host: String?) {
        #expect(HostRule().objection(host: host, origin: nil) != nil)
    }

    @Test(arguments: ["http://evil.example", "null", "file://localhost", "https://localhost.evil.example"])
    func `requests of foreign pages are refused`(origin: String) {
        #expect(HostRule().objection(host: "localhost", origin: origin) != nil)
    }

    @Test func `the nearest name is offered only when it is near`() {
        #expect(nearest("trian", among: ["train", "deploy"]) == "train")
        #expect(nearest("Train", among: ["train"]) == "train")
        #expect(nearest("x", among: ["deploy"]) == nil)
        #expect(editDistance("kitten", "sitting") == 3)
        #expect(editDistance("", "abc") == 3)
    }

    @Test func `settings refuse nonsense by name`() throws {
        #expect(throws: SettingsError.self) { try Settings(environment: ["MARTLET_CONSOLE_EVENTS": "many"]) }
        let settings = try Settings(environment: ["MARTLET_CONSOLE_HOSTS": "a.example, b.example"])
        #expect(settings.hosts == ["a.example", "b.example"])
    }

    @Test func `where the doors of other containers are`() throws {
        let settings = try Settings(environment: ["MARTLET_DOORS": "http://suite-*:8000"])
        #expect(settings.doors?.host(of: "deployer") == "suite-deployer" && settings.doors?.port == 8000)
        for text in ["http://a:8000", "http://*", "http://*:0", "https://*:1", "http://*:80/x", "http://*-*:80"] {
            #expect(throws: SettingsError.self) { try Settings(environment: ["MARTLET_DOORS": text]) }
        }
    }

    @Test func `a letter of several bytes is not cut in two`() {
        let text = Data("aä€😀".utf8)
        for end in 0...text.count {
            let part = text.prefix(end)
            let whole = part.dropLast(API.unfinished(part))
            #expect(!String(decoding: whole, as: UTF8.self).contains("\u{FFFD}"))
        }
        #expect(API.unfinished(text) == 0)
    }
}
