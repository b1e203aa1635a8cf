<?php

/**
 * Runs the conformance cases of cases.txt, whose head describes them, through PHP's client on three memcached servers.
 *
 * Arguments: cases.txt. The client gives true, false and null where C gives statuses, so that a step may allow for two of
 * them; whatever else it can tell is compared. Fails where a case does or a line is unclear. May use: Shoal, and the PHP
 * tests' servers, whose folder SHOAL_PHP_TESTS names.
 */

declare(strict_types=1);

require getenv('SHOAL_PHP_TESTS') . '/Support.php';

use Shoal\Client;
use Shoal\Codec;
use Shoal\Exception\ExceptionInterface;

/** A line that does not keep to the grammar. */
final class Unclear extends Exception
{
}

/** A step whose outcome is another. */
final class Failed extends Exception
{
}

/** The cases speak of bytes and flags: they are the values here. */
final class Pairs implements Codec
{
    public function encode(mixed $value): array
    {
        return $value;
    }

    public function decode(string $data, int $flags): mixed
    {
        return [$data, $flags];
    }
}

/** @return list<string> */
function read_words(string $line): array
{
    $words = [];
    for ($at = 0; $at < strlen($line);) {
        if ($line[$at] === ' ') {
            ++$at;
            continue;
        }
        for ($word = ''; $at < strlen($line) && $line[$at] !== ' '; $at += strlen($piece[0])) {
            $pattern = '/\G(?:"((?:[^"\\\\]|\\\\[\\\\"rn]|\\\\x[0-9A-Fa-f]{2})*)"(?:\*(\d+))?|([^" ]+))/';
            if (!preg_match($pattern, $line, $piece, PREG_UNMATCHED_AS_NULL, $at)) {
                throw new Unclear('the words cannot be read');
            }
            $word .= $piece[3] ?? str_repeat(stripcslashes($piece[1]), (int) ($piece[2] ?? 1));
        }
        $words[] = $word;
    }

    return $words;
}

/** One line: a verb with its words, and what is to come back. */
final class Step
{
    public const READS = ['get', 'get_and_touch'];

    private const VERBS = ['get' => [1, []], 'get_and_touch' => [1, ['ttl']], 'set' => [2, ['flags', 'ttl']],
        'add' => [2, ['flags', 'ttl']], 'replace' => [2, ['flags', 'ttl']], 'append' => [2, ['flags', 'ttl']],
        'prepend' => [2, ['flags', 'ttl']], 'cas' => [2, ['flags', 'ttl', 'cas']],
        'increment' => [1, ['delta', 'initial', 'ttl']], 'delete' => [1, []], 'touch' => [1, ['ttl']], 'flush_all' => [0, []]];

    public readonly string $verb;
    public readonly string $key;
    public readonly string $given;
    public readonly string $status;
    public readonly ?string $value;

    /** @var array<string, string> */
    public readonly array $named;

    /** @var array<string, string> */
    public readonly array $expected;

    public function __construct(string $line)
    {
        $words = read_words($line);
        $arrow = array_search('->', $words, true);
        $this->verb = $words[0];
        if (!isset(self::VERBS[$this->verb]) || !$arrow || !isset($words[$arrow + 1])) {
            throw new Unclear('a step is written VERB ... -> STATUS ..., with a verb of the grammar');
        }
        [$count, $takes] = self::VERBS[$this->verb];
        $this->key = $count > 0 ? $words[1] : '';
        $this->given = $count > 1 ? $words[2] : '';
        $this->named = self::named(array_slice($words, 1 + $count, $arrow - 1 - $count), $takes);
        $this->status = $words[$arrow + 1];
        $valued = $this->status === 'ok' && in_array($this->verb, [...self::READS, 'increment'], true);
        $this->value = $valued ? $words[$arrow + 2] : null;
        $this->expected = self::named(array_slice($words, $arrow + 2 + (int) $valued), ['flags', 'cas', 'not_cas']);
    }

    /** @param list<string> $words @param list<string> $names @return array<string, string> */
    private static function named(array $words, array $names): array
    {
        $found = [];
        foreach ($words as $word) {
            [$name, $value] = explode('=', $word, 2) + [1 => null];
            if ($value === null || !in_array($name, $names, true)) {
                throw new Unclear("there is no place for $word");
            }
            $found[$name] = $value;
        }

        return $found;
    }

    public function ttl(): int
    {
        return (int) ($this->named['ttl'] ?? 0);
    }

    /** The value to be stored, as Pairs takes it. @return array{string, int} */
    public function pair(): array
    {
        return [$this->given, (int) ($this->named['flags'] ?? 0)];
    }
}

final class Runner
{
    private const MANY = ['get', 'set', 'delete'];

    private ?Client $client = null;

    /** @var array<string, int|string> */
    private array $tokens = [];

    public ?string $batch = null;

    /** @var list<Step> */
    private array $items = [];

    public function __construct(private readonly string $endpoint)
    {
    }

    /** @param array<string, string> $options */
    public function useClient(array $options): void
    {
        $this->client?->close();
        $this->client = new Client($this->endpoint, ['codec' => new Pairs(), 'operation_timeout_ms' => 20000] + $options);
    }

    public function beginCase(): void
    {
        $this->tokens = [];
        $this->useClient([]);
        $this->client->flushAll();
    }

    // --- Calling: the statuses that an outcome may stand for, and the outcome ---

    private function count(Step $step): array
    {
        $delta = (int) ($step->named['delta'] ?? 1);
        $initial = $step->named['initial'] ?? null;
        $found = $delta > 0 || $delta === PHP_INT_MIN
            ? $this->client->increment($step->key, $delta, $initial, $step->ttl())
            : $this->client->decrement($step->key, -$delta, $initial, $step->ttl());

        return [[$found === null ? 'not_found' : 'ok'], $found];
    }

    private function read(Step $step): array
    {
        $found = $step->verb === 'get' ? $this->client->get($step->key) : $this->client->getAndTouch($step->key, $step->ttl());

        return [[$found === null ? 'not_found' : 'ok'], $found];
    }

    private function call(Step $step): array
    {
        $client = $this->client;
        switch ($step->verb) {
            case 'get':
            case 'get_and_touch':
                return $this->read($step);
            case 'increment':
                return $this->count($step);
            case 'delete':
                return [[$client->delete($step->key) ? 'ok' : 'not_found'], null];
            case 'touch':
                return [[$client->touch($step->key, $step->ttl()) ? 'ok' : 'not_found'], null];
            case 'flush_all':
                $client->flushAll();

                return [['ok'], null];
            case 'cas':
                $text = $step->named['cas'] ?? '0';
                $stored = $client->cas($step->key, $step->pair(), $this->tokens[$text] ?? $text, $step->ttl());

                return [[$stored ? 'ok' : ($client->get($step->key) === null ? 'not_found' : 'exists')], null];
            case 'append':
            case 'prepend':
                return [[$client->{$step->verb}($step->key, $step->given) ? 'ok' : 'not_stored'], null];
            default:
                return [[$client->{$step->verb}($step->key, $step->pair(), $step->ttl()) ? 'ok' : 'not_stored'], null];
        }
    }

    private static function nameOf(ExceptionInterface $error): string
    {
        return strtolower(preg_replace('/^SHOAL_E_/', '', shoal_status_name($error->getCode())));
    }

    private function outcome(Step $step): array
    {
        try {
            return $this->call($step);
        } catch (ExceptionInterface $error) {
            return [[self::nameOf($error)], null];
        }
    }

    // --- Comparing ---

    /** @param list<string> $statuses */
    private function check(Step $step, array $statuses, mixed $found): void
    {
        if (!in_array($step->status, $statuses, true)) {
            throw new Failed('came ' . implode(' or ', $statuses));
        }
        if ($step->status !== 'ok') {
            return;
        }
        if (in_array($step->verb, Step::READS, true) && $found !== [$step->value, (int) ($step->expected['flags'] ?? 0)]) {
            throw new Failed('came ' . json_encode($found, JSON_INVALID_UTF8_SUBSTITUTE));
        }
        if ($step->verb === 'increment' && (string) $found !== $step->value) {
            throw new Failed("came $found");
        }
        $this->checkToken($step);
    }

    /** No call but gets tells a token: it is asked for once the step is done. */
    private function checkToken(Step $step): void
    {
        $name = $step->expected['cas'] ?? null;
        $other = $step->expected['not_cas'] ?? null;
        if ($name === null && $other === null) {
            return;
        }
        $token = $this->client->gets($step->key)[1] ?? 0;
        if ($token === 0 || ($other !== null && $this->tokens[$other] === $token)) {
            throw new Failed("came the token $token");
        }
        if ($name !== null && ($this->tokens[$name] ??= $token) !== $token) {
            throw new Failed("came another token than $name");
        }
    }

    // --- Batches: runs of one verb go through the call for many keys, what has none step by step ---

    /** The items in groups that one call can take, in their order. @return list<list<Step>> */
    private function groups(): array
    {
        $groups = [];
        foreach ($this->items as $item) {
            $last = $groups === [] ? null : $groups[array_key_last($groups)];
            if (
                $last !== null && $last[0]->verb === $item->verb && in_array($item->verb, self::MANY, true)
                && $last[0]->ttl() === $item->ttl() && !in_array($item->key, array_column($last, 'key'), true)
            ) {
                $groups[array_key_last($groups)][] = $item;
            } else {
                $groups[] = [$item];
            }
        }

        return $groups;
    }

    /** The statuses and the outcome of each item. @param list<Step> $items @return list<array{list<string>, mixed}> */
    private function callMany(array $items): array
    {
        $keys = array_column($items, 'key');
        if ($items[0]->verb === 'get') {
            $failure = 'not_found';
            try {
                $hits = $this->client->getMany($keys);
            } catch (ExceptionInterface $error) {
                [$hits, $failure] = [$error->getPartial(), self::nameOf($error)];
            }

            return array_map(fn ($key) => isset($hits[$key]) ? [['ok'], $hits[$key]] : [[$failure, 'not_found'], null], $keys);
        }
        $left = $items[0]->verb === 'delete' ? $this->client->deleteMany($keys)
            : $this->client->setMany(array_combine($keys, array_map(fn ($item) => $item->pair(), $items)), $items[0]->ttl());
        $done = $items[0]->verb === 'set' ? ['ok'] : ['ok', 'not_found'];

        return array_map(fn ($key) => [in_array($key, $left, true) ? ['bad_key', 'too_large'] : $done, null], $keys);
    }

    public function endBatch(): void
    {
        if ($this->batch === null) {
            return;
        }
        [$status, $this->batch, $failed] = [$this->batch, null, false];
        foreach ($this->groups() as $group) {
            $many = in_array($group[0]->verb, self::MANY, true);
            foreach ($many ? $this->callMany($group) : [$this->outcome($group[0])] as $index => [$statuses, $found]) {
                $this->check($group[$index], $statuses, $found);
                $failed = $failed || !in_array($group[$index]->status, ['ok', 'not_found', 'not_stored', 'exists'], true);
            }
        }
        if ($status !== ($failed ? 'partial' : 'ok')) {
            throw new Failed("the batch's items do not make it $status");
        }
    }

    // --- Lines ---

    public function runLine(string $line): void
    {
        $first = explode(' ', $line, 2)[0];
        if ($first === '+') {
            if ($this->batch === null) {
                throw new Unclear('an item without a batch');
            }
            $this->items[] = new Step(substr($line, 1));

            return;
        }
        $this->endBatch();
        $words = read_words($line);
        if ($first === 'with') {
            $options = array_map(fn ($word) => explode('=', $word, 2), array_slice($words, 1));
            $this->useClient(array_column($options, 1, 0));
        } elseif ($first === 'sleep') {
            sleep((int) $words[1]);
        } elseif ($first === 'batch') {
            [$this->batch, $this->items] = [$words[2], []];
        } else {
            $step = new Step($line);
            $this->check($step, ...$this->outcome($step));
        }
    }
}

/** Counts cases, failed cases and unclear lines. @return array{int, int, int} */
function run_file(Runner $runner, string $path): array
{
    [$cases, $failed, $unclear, $skip, $title] = [0, 0, 0, false, ''];
    foreach ([...file($path, FILE_IGNORE_NEW_LINES), 'case'] as $number => $line) {
        $line = ltrim($line, ' ');
        $begins = str_starts_with($line, 'case');
        if ($line === '' || $line[0] === '#' || ($skip && !$begins)) {
            continue;
        }
        try {
            if (!$begins) {
                $runner->runLine($line);
                continue;
            }
            if (!$skip) {
                $runner->endBatch();
            }
        } catch (Unclear | Failed $reason) {
            printf("%s:%d: case %s: %s: %s\n", $path, $number + 1, $title, substr($line, 0, 100), $reason->getMessage());
            $failed += (int) ($reason instanceof Failed);
            $unclear += (int) ($reason instanceof Unclear);
            $skip = true;
        }
        if ($begins && $line !== 'case') {
            [$skip, $runner->batch, $title] = [false, null, substr($line, 5)];
            ++$cases;
            $runner->beginCase();
        }
    }

    return [$cases, $failed, $unclear];
}

$servers = array_map(fn () => new Shoal\Tests\Memcached(), range(1, 3));
[$cases, $failed, $unclear] = run_file(new Runner('static://' . implode(',', array_column($servers, 'name'))), $argv[1]);
array_map(fn ($server) => $server->stop(), $servers);
echo "php: $cases cases, $failed failed, $unclear unclear lines\n";
exit($cases > 0 && $failed === 0 && $unclear === 0 ? 0 : 1);
