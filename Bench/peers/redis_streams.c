/* redis_streams PORT speed|one|latency EVENTS BYTES [RATE]: a producer and a consumer group on one stream.
   With `appendfsync always` a command is answered after the fsync; the XACK is the consumer's durable effect. */
#include "clock.h"
#include <hiredis/hiredis.h>
#include <pthread.h>

static int port, events, bytes, rate;
static delays_t delays;
static int64_t last_ack;
static char *filling;

static redisContext *dial(void) {
    redisContext *redis = redisConnect("127.0.0.1", port);
    if (!redis || redis->err) fail("connect", redis ? redis->errstr : NULL);
    return redis;
}

static void ask(redisContext *redis, const char *command) {
    redisReply *reply = redisCommand(redis, command);
    if (!reply || reply->type == REDIS_REPLY_ERROR) fail(command, reply ? reply->str : redis->errstr);
    freeReplyObject(reply);
}

static redisReply *answer(redisContext *redis) {
    void *reply = NULL;
    if (redisGetReply(redis, &reply) != REDIS_OK || !reply) fail("reply", redis->errstr);
    if (((redisReply *)reply)->type == REDIS_REPLY_ERROR) fail("reply", ((redisReply *)reply)->str);
    return reply;
}

static void append(redisContext *redis, int64_t intended) {
    if (redisAppendCommand(redis, "XADD bench * intended %lld filling %b", (long long)intended, filling,
                           (size_t)bytes) != REDIS_OK)
        fail("XADD", redis->errstr);
}

static void *consume(void *unused) {
    (void)unused;
    redisContext *redis = dial();
    int done = 0;
    while (done < events) {
        redisReply *reply = redisCommand(redis, "XREADGROUP GROUP g c COUNT 256 BLOCK 10000 STREAMS bench >");
        if (!reply || reply->type != REDIS_REPLY_ARRAY) fail("XREADGROUP", redis->errstr);
        redisReply *entries = reply->element[0]->element[1];
        size_t count = entries->elements;
        const char **words = malloc((count + 3) * sizeof *words);
        int64_t *intended = malloc(count * sizeof *intended);
        words[0] = "XACK", words[1] = "bench", words[2] = "g";
        for (size_t i = 0; i < count; i++) {
            words[i + 3] = entries->element[i]->element[0]->str;
            intended[i] = atoll(entries->element[i]->element[1]->element[1]->str);
        }
        redisReply *ack = redisCommandArgv(redis, (int)count + 3, words, NULL);
        if (!ack || ack->type == REDIS_REPLY_ERROR) fail("XACK", ack ? ack->str : redis->errstr);
        last_ack = monotonic();
        for (size_t i = 0; i < count; i++) delays_add(&delays, last_ack - intended[i]);
        done += (int)count;
        freeReplyObject(ack);
        freeReplyObject(reply);
        free(words);
        free(intended);
    }
    return NULL;
}

/* Pipelined, so many commands under way: as many writers as the other side has. */
static void *produce_fast(void *unused) {
    (void)unused;
    redisContext *redis = dial();
    int depth = 256;
    for (int n = 0; n < events; n++) {
        append(redis, monotonic());
        if (n >= depth) freeReplyObject(answer(redis));
    }
    for (int n = events < depth ? events : depth; n > 0; n--) freeReplyObject(answer(redis));
    return NULL;
}

/* An open loop: each command at its time; the answers wait in the socket until the end. */
static void produce_timed(void) {
    redisContext *redis = dial();
    int64_t begin = monotonic() + 10000000;
    for (int n = 0; n < events; n++) {
        int64_t intended = begin + (int64_t)n * 1000000000 / rate;
        sleep_until(intended);
        append(redis, intended);
        int written = 0;
        while (!written)
            if (redisBufferWrite(redis, &written) != REDIS_OK) fail("write", redis->errstr);
    }
    for (int n = 0; n < events; n++) freeReplyObject(answer(redis));
}

static void one_at_a_time(void) {
    redisContext *redis = dial();
    int64_t begun = monotonic();
    for (int n = 0; n < events; n++) {
        int64_t start = monotonic();
        append(redis, start);
        freeReplyObject(answer(redis));
        delays_add(&delays, monotonic() - start);
    }
    report(begun, monotonic(), delays.count, &delays);
}

int main(int argc, char **argv) {
    if (argc < 5) fail("usage", "redis_streams PORT speed|one|latency EVENTS BYTES [RATE]");
    port = atoi(argv[1]), events = atoi(argv[3]), bytes = atoi(argv[4]);
    rate = argc > 5 ? atoi(argv[5]) : 1000;
    filling = malloc((size_t)bytes);
    memset(filling, 'x', (size_t)bytes);
    redisContext *redis = dial();
    ask(redis, "DEL bench");
    ask(redis, "XGROUP CREATE bench g $ MKSTREAM");
    if (!strcmp(argv[2], "one")) {
        one_at_a_time();
        return 0;
    }
    pthread_t consumer, producer;
    int64_t begun = monotonic();
    pthread_create(&consumer, NULL, consume, NULL);
    if (!strcmp(argv[2], "speed")) {
        pthread_create(&producer, NULL, produce_fast, NULL);
        pthread_join(producer, NULL);
    } else {
        produce_timed();
    }
    pthread_join(consumer, NULL);
    report(begun, last_ack, delays.count, &delays);
    return 0;
}
