<?php

/**
 * Runs a PHP framework's own cache tests on Shoal's adapter: phpunit_suite.php FOLDER [FILTER].
 *
 * FOLDER, beside this, has a suite.php that returns what is to be run (`files`, after `bootstrap`), `left_out` and
 * `skipped`, tests with the reason why, `short_lived`, those that are tried once more, and `fewest`, how many have to run.
 * Fails where a test fails, where fewer ran, and where one was skipped that is not known to be; what becomes of those left
 * out does not count, as not all of them let themselves be skipped. SHOAL_TEST_ENDPOINT, which with_fleet.py sets, names
 * the servers. May use: PHPUnit as a command, SimpleXML. Called by CTest.
 */

declare(strict_types=1);

if (!isset($argv[1]) || !is_file(__DIR__ . "/{$argv[1]}/suite.php")) {
    exit("usage: phpunit_suite.php FOLDER [FILTER]\n");
}
if ((getenv('SHOAL_TEST_ENDPOINT') ?: '') === '') {
    fwrite(STDERR, "SHOAL_TEST_ENDPOINT names no server: run this by tests/adapters/with_fleet.py\n");
    exit(1);
}

/**
 * Runs a file of tests: what became of each of them, null where it passed.
 *
 * @param  array<string, mixed>                 $suite
 * @return array<string, ?array{string, string}> by class::test: failed or skipped, and why
 */
function run_file(array $suite, string $file, string $filter): array
{
    $log = tempnam(sys_get_temp_dir(), 'shoal-junit-');
    $command = [PHP_BINARY, '-d', 'extension=' . getenv('SHOAL_PHP_EXTENSION'), '-d', 'zend.assertions=1', '-d',
        'error_reporting=' . (E_ALL & ~E_DEPRECATED), getenv('SHOAL_PHPUNIT') ?: '/usr/bin/phpunit', '--no-configuration',
        '--do-not-cache-result', '--bootstrap', $suite['bootstrap'], '--log-junit', $log];
    $process = proc_open([...$command, ...($filter === '' ? [] : ['--filter', $filter]), $file], [], $pipes);
    $status = proc_close($process);
    $report = @simplexml_load_file($log);
    unlink($log);
    if ($report === false) {
        return [basename($file) => ['failed', "phpunit ended with status $status and no report"]];
    }
    $found = [];
    foreach ($report->xpath('//testcase') as $case) {
        $name = strrchr('\\' . $case['class'], '\\') . '::' . $case['name'];
        $bad = $case->error[0] ?? $case->failure[0] ?? null;
        $found[substr($name, 1)] = match (true) {
            $bad !== null => ['failed', trim((string) $bad)],
            isset($case->skipped) => ['skipped', ''],
            default => null,
        };
    }

    return $found;
}

/** Whether a test, with or without its data set, is among the names. @param list<string> $names */
function is_named(string $test, array $names): bool
{
    return array_intersect([$test, preg_replace('/ with data set .*/s', '', $test)], $names) !== [];
}

/** The tests that had this end. @param array<string, ?array{string, string}> $all @return list<string> */
function ended(array $all, string $end): array
{
    return array_keys(array_filter($all, static fn (?array $what): bool => ($what[0] ?? '') === $end));
}

$suite = require __DIR__ . "/{$argv[1]}/suite.php";
$known = array_keys($suite['left_out'] + ($suite['skipped'] ?? []));
$all = [];
foreach ($suite['files'] as $file) {
    $all = array_merge($all, run_file($suite, $file, $argv[2] ?? ''));
    foreach (ended($all, 'failed') as $test) {
        if (is_named($test, $suite['short_lived'] ?? [])) {
            echo "once more, as memcached counts whole seconds: $test\n";
            $all = array_merge($all, run_file($suite, $file, '/::' . explode('::', explode(' ', $test)[0])[1] . '\b/'));
        }
    }
}
$failed = array_filter(ended($all, 'failed'), static fn (string $test): bool => !is_named($test, array_keys($suite['left_out'])));
$skipped = ended($all, 'skipped');
$unknown = array_filter($skipped, static fn (string $test): bool => !is_named($test, $known));
$ran = count($all) - count($skipped);
array_map(static fn (string $test) => print("failed: $test\n"), $failed);
array_map(static fn (string $test) => print("skipped, which nobody knows of: $test\n"), $unknown);
$few = !isset($argv[2]) && $ran < $suite['fewest'];
echo $few ? "there should be {$suite['fewest']} tests or more\n" : '';
echo "{$suite['title']}: $ran run, ", count($failed), ' failed, ', count($skipped), " skipped\n";
exit($failed === [] && $unknown === [] && !$few && $ran > 0 ? 0 : 1);
