<?php

/**
 * The load of the fault bench through a PHP client: load.php CLIENT SERVERS RATE SECONDS KEYS; SHOAL_AUTOLOAD names
 * Shoal's library. load.py says what every driver does. May use: the client. Started by tests/faults.
 */

declare(strict_types=1);

const BUCKET_S = 0.1;
const STALLED_S = 0.05;
const BACKLOG_S = 0.02;
const ERRORS_TOLD = 8;
const SIZE = 200;

/** A client's two calls: `get` gives null for a miss; what cannot be done throws. */
interface Cache
{
    public function get(string $key): mixed;

    public function set(string $key, string $value): void;
}

final class ShoalCache implements Cache
{
    private readonly Shoal\Client $client;

    public function __construct(string $servers)
    {
        $this->client = new Shoal\Client($servers);
    }

    public function get(string $key): mixed
    {
        return $this->client->get($key);
    }

    public function set(string $key, string $value): void
    {
        $this->client->set($key, $value) || throw new RuntimeException('set gave false');
    }
}

final class MemcachedCache implements Cache
{
    private readonly Memcached $client;

    /** @param array<int, mixed> $options */
    public function __construct(string $servers, array $options)
    {
        $this->client = new Memcached();
        $this->client->setOptions([Memcached::OPT_TCP_NODELAY => true] + $options);
        foreach (explode(',', $servers) as $server) {
            [$host, $port] = explode(':', $server);
            $this->client->addServer($host, (int) $port);
        }
    }

    public function get(string $key): mixed
    {
        $value = $this->client->get($key);
        $this->check($value !== false || $this->client->getResultCode() === Memcached::RES_NOTFOUND);

        return $value === false ? null : $value;
    }

    public function set(string $key, string $value): void
    {
        $this->check($this->client->set($key, $value));
    }

    private function check(bool $succeeded): void
    {
        if (!$succeeded) {
            throw new RuntimeException($this->client->getResultMessage());
        }
    }
}

function make_cache(string $name, string $servers): Cache
{
    if ($name === 'php') {
        require getenv('SHOAL_AUTOLOAD');
    }

    return match ($name) {
        'php' => new ShoalCache($servers),
        'php_memcached' => new MemcachedCache($servers, []),
        'php_memcached_eject' => new MemcachedCache($servers, [
            Memcached::OPT_LIBKETAMA_COMPATIBLE => true,
            Memcached::OPT_CONNECT_TIMEOUT => 200,
            Memcached::OPT_POLL_TIMEOUT => 200,
            Memcached::OPT_AUTO_EJECT_HOSTS => true,
            Memcached::OPT_SERVER_FAILURE_LIMIT => 1,
            Memcached::OPT_RETRY_TIMEOUT => 1,
            Memcached::OPT_DEAD_TIMEOUT => 1,
        ]),
    };
}

function now(): float
{
    return hrtime(true) / 1e9;
}

function make_value(string $key, int $version): string
{
    return str_pad("$key $version ", SIZE, '.');
}

/** The counts of a tenth of a second. */
final class Bucket
{
    public int $operations = 0;
    public int $fine = 0;
    public int $errors = 0;
    public int $wrong = 0;
    public int $stale = 0;
    public float $longest = 0.0;
    public float $stalled = 0.0;

    public function __construct(public readonly int $index)
    {
    }

    public function tell(): void
    {
        if ($this->operations > 0) {
            vprintf("bucket %d %d %d %d %d %d %d %d\n", [$this->index, $this->operations, $this->fine, $this->errors,
                $this->wrong, $this->stale, $this->longest * 1e6, $this->stalled * 1e6]);
        }
    }
}

/** The operations. */
final class Load
{
    /** @var list<int> */
    private array $tried;
    /** @var list<int> */
    private array $stored;
    private int $errorsTold = 0;
    private Bucket $bucket;

    public function __construct(private readonly Cache $cache, private readonly int $keys)
    {
        $this->tried = $this->stored = array_fill(0, $keys, 0);
        $this->bucket = new Bucket(0);
        mt_srand(1);
    }

    public function run(float $rate, float $seconds): void
    {
        for ($number = 0; $number < $this->keys; ++$number) {
            $this->store($number);
        }
        $this->bucket = new Bucket(0);
        $began = $due = now();
        printf("start %.6f\n", $began);
        while (($at = now()) < $began + $seconds) {
            if ($at < $due) {
                usleep((int) ceil(($due - $at) * 1e6));
                continue;
            }
            $due = ($at - $due > BACKLOG_S ? $at : $due) + 1 / $rate;
            $this->turnTo((int) (($at - $began) / BUCKET_S));
            $this->operate();
        }
        $this->bucket->tell();
        echo "end\n";
    }

    private function turnTo(int $index): void
    {
        if ($index !== $this->bucket->index) {
            $this->bucket->tell();
            $this->bucket = new Bucket($index);
        }
    }

    /** @return array{bool, mixed} whether it succeeded, and what it gave */
    private function call(callable $function): array
    {
        $began = now();
        try {
            return [true, $function()];
        } catch (Throwable $error) {
            if ($this->errorsTold++ < ERRORS_TOLD) {
                printf("error %s %s\n", $error::class, preg_replace('/\s+/', ' ', $error->getMessage()));
            }

            return [false, null];
        } finally {
            $taken = now() - $began;
            $this->bucket->longest = max($this->bucket->longest, $taken);
            $this->bucket->stalled += $taken > STALLED_S ? $taken : 0.0;
        }
    }

    private function store(int $number): bool
    {
        $version = ++$this->tried[$number];
        $key = "key:$number";
        $value = make_value($key, $version);
        [$succeeded] = $this->call(fn () => $this->cache->set($key, $value));
        if ($succeeded) {
            $this->stored[$number] = $version;
        }

        return $succeeded;
    }

    private function read(int $number): bool
    {
        [$succeeded, $value] = $this->call(fn () => $this->cache->get("key:$number"));
        if (!$succeeded) {
            return false;
        }
        if ($value === null) {
            return $this->store($number);
        }
        $this->judge($number, $value);

        return true;
    }

    private function judge(int $number, mixed $value): void
    {
        $version = is_string($value) && preg_match('/^\S+ (\d{1,9}) /', $value, $words) ? (int) $words[1] : -1;
        if ($value !== make_value("key:$number", $version) || $version > $this->tried[$number]) {
            ++$this->bucket->wrong;
        } elseif ($version < $this->stored[$number]) {
            ++$this->bucket->stale;
        }
    }

    private function operate(): void
    {
        $number = mt_rand(0, $this->keys - 1);
        $succeeded = mt_rand(0, 4) === 0 ? $this->store($number) : $this->read($number);
        ++$this->bucket->operations;
        ++$this->bucket->{$succeeded ? 'fine' : 'errors'};
    }
}

[, $name, $servers, $rate, $seconds, $keys] = $argv;
(new Load(make_cache($name, $servers), (int) $keys))->run((float) $rate, (float) $seconds);
