/*
 * The names Redis knows (its config.c, up to version 8), so that a
 * redis.conf loads as it is; and the nearest name to a misspelt one.
 */
#include "config/directive.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const redis_names[] = {
	"acl-pubsub-default", "aclfile", "acllog-max-len",
	"active-defrag-cycle-max", "active-defrag-cycle-min",
	"active-defrag-ignore-bytes", "active-defrag-max-scan-fields",
	"active-defrag-threshold-lower", "active-defrag-threshold-upper",
	"active-expire-effort", "activedefrag", "activerehashing",
	"always-show-logo", "aof-disable-auto-gc", "aof-load-truncated",
	"aof-rewrite-cpulist", "aof-rewrite-incremental-fsync",
	"aof-timestamp-enabled", "aof-use-rdb-preamble", "appenddirname",
	"appendfilename", "appendfsync", "appendonly",
	"auto-aof-rewrite-min-size", "auto-aof-rewrite-percentage",
	"bgsave-cpulist", "bind-source-addr", "bio-cpulist",
	"busy-reply-threshold", "client-default-resp",
	"client-output-buffer-limit", "client-query-buffer-limit",
	"cluster-allow-pubsubshard-when-down",
	"cluster-allow-reads-when-down", "cluster-allow-replica-migration",
	"cluster-announce-bus-port", "cluster-announce-hostname",
	"cluster-announce-human-nodename", "cluster-announce-ip",
	"cluster-announce-port", "cluster-announce-tls-port",
	"cluster-config-file", "cluster-enabled",
	"cluster-link-sendbuf-limit", "cluster-migration-barrier",
	"cluster-node-timeout", "cluster-ping-interval", "cluster-port",
	"cluster-preferred-endpoint-type", "cluster-replica-no-failover",
	"cluster-replica-validity-factor", "cluster-require-full-coverage",
	"cluster-slave-no-failover", "cluster-slave-validity-factor",
	"crash-log-enabled", "crash-memcheck-enabled", "databases",
	"dbfilename", "dir", "disable-thp", "dynamic-hz",
	"enable-debug-command", "enable-module-command",
	"enable-protected-configs", "hash-max-listpack-entries",
	"hash-max-listpack-value", "hash-max-ziplist-entries",
	"hash-max-ziplist-value", "hide-user-data-from-log",
	"hll-sparse-max-bytes", "hz", "ignore-warnings", "include",
	"io-threads", "io-threads-do-reads", "jemalloc-bg-thread",
	"key-load-delay", "latency-monitor-threshold", "latency-tracking",
	"latency-tracking-info-percentiles", "lazyfree-lazy-eviction",
	"lazyfree-lazy-expire", "lazyfree-lazy-server-del",
	"lazyfree-lazy-user-del", "lazyfree-lazy-user-flush",
	"lfu-decay-time", "lfu-log-factor", "list-compress-depth",
	"list-max-listpack-size", "list-max-ziplist-size",
	"loading-process-events-interval-bytes", "loadmodule",
	"locale-collate", "lua-time-limit", "masterauth", "masteruser",
	"max-new-connections-per-cycle",
	"max-new-tls-connections-per-cycle", "maxmemory",
	"maxmemory-clients", "maxmemory-eviction-tenacity",
	"maxmemory-policy", "maxmemory-samples", "min-replicas-max-lag",
	"min-replicas-to-write", "min-slaves-max-lag",
	"min-slaves-to-write", "no-appendfsync-on-rewrite",
	"notify-keyspace-events", "oom-score-adj", "oom-score-adj-values",
	"proc-title-template", "propagation-error-behavior",
	"protected-mode", "proto-max-bulk-len", "rdb-del-sync-files",
	"rdb-key-save-delay", "rdb-save-incremental-fsync", "rdbchecksum",
	"rdbcompression", "rename-command", "repl-backlog-size",
	"repl-backlog-ttl", "repl-disable-tcp-nodelay",
	"repl-diskless-load", "repl-diskless-sync",
	"repl-diskless-sync-delay", "repl-diskless-sync-max-replicas",
	"repl-ping-replica-period", "repl-ping-slave-period",
	"repl-timeout", "replica-announce-ip", "replica-announce-port",
	"replica-announced", "replica-ignore-disk-write-errors",
	"replica-ignore-maxmemory", "replica-lazy-flush",
	"replica-priority", "replica-read-only",
	"replica-serve-stale-data", "replicaof", "req-res-logfile",
	"requirepass", "sanitize-dump-payload", "save", "sentinel",
	"server-cpulist", "set-max-intset-entries",
	"set-max-listpack-entries", "set-max-listpack-value",
	"set-proc-title", "shutdown-on-sigint", "shutdown-on-sigterm",
	"slave-announce-ip", "slave-announce-port",
	"slave-ignore-maxmemory", "slave-lazy-flush", "slave-priority",
	"slave-read-only", "slave-serve-stale-data", "slaveof",
	"slowlog-log-slower-than", "slowlog-max-len", "socket-mark-id",
	"stop-writes-on-bgsave-error", "stream-node-max-bytes",
	"stream-node-max-entries", "tls-auth-clients", "tls-ca-cert-dir",
	"tls-ca-cert-file", "tls-cert-file", "tls-ciphers",
	"tls-ciphersuites", "tls-client-cert-file", "tls-client-key-file",
	"tls-client-key-file-pass", "tls-cluster", "tls-dh-params-file",
	"tls-key-file", "tls-key-file-pass", "tls-port",
	"tls-prefer-server-ciphers", "tls-protocols", "tls-replication",
	"tls-session-cache-size", "tls-session-cache-timeout",
	"tls-session-caching", "tracking-table-max-keys", "unixsocket",
	"unixsocketperm", "use-exit-on-panic", "watchdog-period",
	"zset-max-listpack-entries", "zset-max-listpack-value",
	"zset-max-ziplist-entries", "zset-max-ziplist-value",
};

#define REDIS_NAMES (sizeof(redis_names) / sizeof(redis_names[0]))
#define NAME_MAX_COMPARED 64

bool
directive_known_to_redis(const char *name)
{
	for (size_t i = 0; i < REDIS_NAMES; i++)
		if (strcasecmp(redis_names[i], name) == 0)
			return true;
	return false;
}

/* Levenshtein's distance: the least number of letters put in, left out or
 * changed that turns one name into the other; letter case does not count. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_COMPARED + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NAME_MAX_COMPARED || lb > NAME_MAX_COMPARED)
		return NAME_MAX_COMPARED;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned best = diagonal + (tolower((unsigned char)
			    a[i - 1]) != tolower((unsigned char)b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *
directive_nearest(const char *name, bool redis)
{
	const char *nearest = NULL;
	unsigned least = (unsigned)strlen(name) / 3 + 1;

	/* Ours first: of two equally near names ours is meant. */
	for (unsigned i = 0; i < directive_count; i++)
		if (distance(name, directives[i].name) <= least) {
			least = distance(name, directives[i].name) - 1;
			nearest = directives[i].name;
		}
	for (size_t i = 0; redis && i < REDIS_NAMES; i++)
		if (distance(name, redis_names[i]) <= least) {
			least = distance(name, redis_names[i]) - 1;
			nearest = redis_names[i];
		}
	return nearest;
}
