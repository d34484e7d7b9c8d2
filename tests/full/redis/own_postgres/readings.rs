//! How often one server, and many servers, read the board from the database.

use std::thread;
use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::BigInt;

use crate::redis::redis_server::RedisServer;
use crate::redis::site::Site;
use testkit::cluster::Cluster;
use testkit::database::TestDatabase;

const REFRESH_MS: u32 = 250;
const COUNTED_FOR: Duration = Duration::from_secs(4);

#[derive(QueryableByName)]
struct Calls {
    #[diesel(sql_type = BigInt)]
    calls: i64,
}

/// Seen to fail with a lease that every server gets: 4 servers read 4 times as often as one, and 16 servers 16 times
/// as often, as they do without Redis.
#[test]
fn sixteen_servers_read_the_board_as_often_as_one() {
    let (cluster, redis) = (Cluster::start(), RedisServer::start());
    count_statements(&cluster);
    let mut site = Site::closed(&cluster, &redis, REFRESH_MS, &[("DATABASE_POOL_SIZE", "4")]);
    let mut counts = Vec::new();
    for (more, servers) in [(1, 1), (3, 4), (12, 16)] {
        site.add(more);
        // By now each new server has done the reads of its own start.
        thread::sleep(Duration::from_secs(1));
        let begun = Instant::now();
        let before = readings(&site.database);
        thread::sleep(COUNTED_FOR);
        let count = readings(&site.database) - before;
        let elapsed = begun.elapsed();
        println!("{servers} servers: {count} readings in {elapsed:?}");
        counts.push((count, i64::try_from(elapsed.as_millis()).expect("small") / i64::from(REFRESH_MS)));
    }
    // A busy machine delays readings, and makes some up again.
    for (count, due) in counts {
        assert!((1..=due * 2).contains(&count), "{count}, not {due}");
    }
    site.assert_never_away();
}

fn count_statements(cluster: &Cluster) {
    cluster.database().execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'");
    cluster.stop_immediately();
    cluster.start_again();
}

/// How often servers have read the board's concerts.
fn readings(database: &TestDatabase) -> i64 {
    database.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    let counted: Vec<Calls> = database.rows(
        "SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT) AS calls FROM pg_stat_statements
         WHERE query LIKE 'SELECT%FROM \"events\" WHERE%ORDER BY%'",
    );
    counted[0].calls
}
