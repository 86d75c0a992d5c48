import Foundation
import Messages
import Testing

@testable import RegistryService

@Suite struct SourceTests {
    @Test(arguments: [
        "..", "a/../b", "../../etc/passwd", "/etc/passwd", "a\\..\\b", "a\u{0}b", "%2e%2e/x", "a/%2E%2e",
    ])
    func `no path leads out`(path: String) {
        #expect(throws: MLflowError.self) { try ArtifactPath(path) }
    }

    @Test(arguments: ["%2e%2e/%2e%2e/etc/passwd", "../../etc/passwd", "a/%252e%252e/b", "%00", "%zz"])
    func `not in a request either`(path: String) {
        #expect(throws: MLflowError.self) { try ArtifactPath.encoded(path) }
    }

    @Test func `names keep what they are made of`() throws {
        #expect(try ArtifactPath.encoded("4/r/artifacts/%C3%BC%20+&%25.txt").text == "4/r/artifacts/ü +&%.txt")
        #expect(try ArtifactPath("./a//b/").text == "a/b")
        #expect(try ArtifactPath("a/b/c").parents == ["a", "a/b"])
    }

    @Test(
        arguments: [
            ("runs:/abc/model", ModelSource.run("abc", path: "model")), ("runs:/abc", .run("abc", path: "")),
            ("models:/m-0123", .loggedModel("m-0123")), ("models:/churn/3", .version(model: "churn", reference: "3")),
            ("models:/churn@champion", .version(model: "churn", reference: "@champion")),
        ] as [(String, ModelSource)])
    func `each form of a source is understood`(text: String, source: ModelSource) throws {
        #expect(try ModelSource(text) == source)
    }

    @Test func `artifacts may be named with the server that keeps them`() throws {
        let path = ModelSource.artifacts(try ArtifactPath("1/r/artifacts/m"))
        #expect(try ModelSource("mlflow-artifacts:/1/r/artifacts/m") == path)
        #expect(try ModelSource("mlflow-artifacts://localhost:5000/1/r/artifacts/m") == path)
        #expect(
            try ModelSource("mlflow-artifacts://h/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/m") == path)
    }

    @Test(arguments: [
        "/etc", "file:///etc", "etc", "s3://bucket/x", "http://h/x", "runs:/a/../b", "runs:/a/%2e%2e/b",
        "mlflow-artifacts:/../x", "models:/", "models:/a/b/c", "models:/../1", "dbfs:/x", "runs:/\u{0}",
    ])
    func `files elsewhere, and paths that lead out, are no source`(text: String) {
        let error = #expect(throws: MLflowError.self) { try ModelSource(text) }
        #expect(error?.code == .invalid)
    }

    @Test(arguments: [
        ("churn", "versions/churn/3"), ("a.b_c-9", "versions/a.b_c-9/3"), ("what?", "versions/~776861743f/3"),
        ("a b", "versions/~612062/3"), ("~61", "versions/~7e3631/3"), ("ü", "versions/~c3bc/3"),
    ])
    func `the files of each version have a place, whatever its model is called`(model: String, path: String) throws {
        #expect(ArtifactPath.version(model, 3).text == path)
        let found = try ArtifactPath(path + "/data/MLmodel").version
        #expect(found?.model == model && found?.number == 3)
    }

    @Test(arguments: [
        "versions/churn", "versions/churn/x", "versions/~6/1", "versions/~zz/1", "versions/~ff/1", "1/r/1",
    ])
    func `other paths lie in no version`(path: String) throws {
        let found = try ArtifactPath(path).version
        #expect(found?.number == nil)
    }

    @Test(arguments: ["", "a/b", "a:b", "..", String(repeating: "x", count: 201)])
    func `a model's name is part of paths`(name: String) {
        #expect(throws: MLflowError.self) { try Names.checkModel(name) }
    }

    @Test(arguments: ["v1", "V22", "latest", "Latest", "a b", "", "a/b", String(repeating: "x", count: 256)])
    func `aliases are no versions`(alias: String) {
        #expect(throws: MLflowError.self) { try Names.checkAlias(alias) }
    }

    @Test(arguments: ["a/../b", "/a", "a//b", "a/", "a\nb", "", String(repeating: "x", count: 251)])
    func `a key can be a file's name`(key: String) {
        #expect(throws: MLflowError.self) { try Names.checkKey(key, "metric") }
    }
}
