import Foundation
import Hummingbird
import Messages
import ServiceKit
import Store

extension API {
    func addWhy(_ routes: Routes) {
        // The rest of the path: a version is `model/version`.
        routes.get("/why") { call in
            guard let about = call.query("about")?.removingPercentEncoding else {
                throw Refusal(
                    400, "the query lacks 'about'",
                    hint: "add ?about= with a run, model/version, model/stage or event id")
            }
            return Reply(try await store.read { db in try WhyQueries.answer(about, db) })
        }
        routes.get("/why-not") { call in
            guard let pipeline = call.query("pipeline") else {
                throw Refusal(400, "the query lacks 'pipeline'", hint: "add ?pipeline=NAME&event=ID")
            }
            let page = try call.page()
            var event = call.query("event")
            // A forge's delivery is asked about by the id that the forge shows.
            if let delivery = event {
                event = try await store.read { db in try EventQueries.told(byDelivery: delivery, db).first } ?? delivery
            }
            // `all`: also the causes of kinds that the pipeline does not listen to.
            let everyKind = event != nil || call.query("all") == "true"
            return Reply(
                try await store.read { [event] db in
                    let telling = try ListQueries.verdicts(
                        pipeline: pipeline, cause: event, everyKind: everyKind, page, db)
                    if telling["items"]?.array?.isEmpty == false { return telling }
                    let verdicts = try ListQueries.verdicts(pipeline: pipeline, cause: event, page, db)
                    if verdicts["items"]?.array?.isEmpty == false { return verdicts }
                    let known = Array(Set(try ListQueries.allPipelines(db))).sorted()
                    guard known.contains(pipeline) else {
                        throw Refusal.missing("pipeline", pipeline, among: known, list: "martlet runs list")
                    }
                    guard let event else {
                        throw Refusal(
                            404, "nothing has been held against \(pipeline) yet",
                            hint: "verdicts come with pushes, ticks and commands; 'martlet events tail' shows them")
                    }
                    guard let found = try EventQueries.event(event, db) else {
                        throw Refusal(
                            404, "no event '\(event)'", hint: "'martlet events tail --since start' lists events")
                    }
                    if let silent = try SilentVerdicts.verdict(on: found, pipeline: pipeline, db) {
                        return .object(["items": .array([silent]), "next": .null])
                    }
                    throw Refusal(
                        404,
                        "\(shortEventName(found.type)) \(event) was not held against \(pipeline): it is not a cause of runs",
                        hint: "causes are what happens in a repository, ticks, commands, finished runs, changes of"
                            + " models and what other programs tell of; try the event that began it: "
                            + found.correlationid)
                })
        }
    }
}
