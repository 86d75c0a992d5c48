import Foundation
import Testing

struct SizeAndNameTests {
    @Test func `a file fits into a head`() throws {
        for file in try House.files(
            in: ["Services", "Shared", "Tests", "Examples", "Bench"], endings: ["swift", "py"])
        {
            #expect(file.lines.count <= 400, "\(file.path) has \(file.lines.count) lines: cut it")
        }
    }

    @Test func `the README can be read in one sitting`() throws {
        #expect(try House.read("README.md").lines.count <= 201)
    }

    @Test func `no name hides what a thing is`() throws {
        let vague = #/(Manager|Helper|Helpers|Util|Utils|Utilities|Common|Base|Impl)$/#
        let declaration = #/^\s*(?:\w+ )*(?:struct|class|enum|actor|protocol|typealias) (\w+)/#
        for file in try House.files(in: ["Services", "Shared", "Tests"]) {
            let fileName = String(file.path.split(separator: "/").last?.prefix { $0 != "." && $0 != "+" } ?? "")
            for name in file.folders + [fileName] where name.contains(vague) {
                Issue.record("\(file.path): the name \(name) says nothing")
            }
            for (number, text) in file.code {
                guard let name = text.firstMatch(of: declaration)?.1, name.contains(vague) else { continue }
                Issue.record("\(file.path):\(number): the name \(name) says nothing")
            }
        }
    }

    @Test func `folders of services are kebab-case, the rooms in them UpperCamel`() throws {
        for file in try House.files(in: ["Services"]) {
            let service = file.folders.dropFirst().first ?? ""
            #expect(service.wholeMatch(of: #/[a-z]+(-[a-z]+)*/#) != nil, "\(file.path)")
            for room in file.folders.dropFirst(2) {
                #expect(room.first?.isUppercase == true, "\(file.path)")
            }
        }
    }
}
