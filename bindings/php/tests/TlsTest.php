<?php

/**
 * TLS, on a fleet of `shoal local --tls`: the client in its own words and in those of Amazon's, and every adapter by
 * its framework's configuration.
 *
 * May use: PHPUnit, Shoal, Symfony, Laravel, PSR-16 and PSR-3.
 */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/AdapterTestCase.php';

use Illuminate\Cache\CacheServiceProvider;
use Illuminate\Config\Repository as Config;
use Illuminate\Container\Container;
use Shoal\Client;
use Shoal\Exception\BadOption;
use Shoal\Exception\DiscoveryError;
use Shoal\Exception\ExceptionInterface;
use Shoal\Exception\NodeDown;
use Shoal\Exception\Unsupported;
use Shoal\Laravel\ShoalServiceProvider;
use Shoal\SimpleCache;
use Shoal\Symfony\ShoalAdapter;

final class TlsTest extends AdapterTestCase
{
    /** What a client says whom the servers' authority is unknown to. */
    private const REASON = '/: certificate verify failed: .*: set tls_ca_file to /';

    private static LocalFleet $fleet;

    public static function setUpBeforeClass(): void
    {
        self::$fleet = new LocalFleet(2, '--tls');
    }

    public static function tearDownAfterClass(): void
    {
        self::$fleet->stop();
    }

    protected static function endpoint(): string
    {
        return self::$fleet->endpoint;
    }

    /** @param array<string, mixed> $options */
    private static function made(string $endpoint, array $options): Client
    {
        $options += ['codec' => 'php', 'operation_timeout_ms' => self::OPERATION_TIMEOUT_MS];

        return new Client($endpoint, $options);
    }

    private static function assertGoesRound(Client $cache): void
    {
        self::assertCount(2, $cache->nodes());
        $values = [];
        foreach (range(1, 40) as $i) {
            $values["k$i"] = [random_bytes(4), str_repeat('x', 1000 * $i)];
        }
        self::assertSame([], $cache->setMany($values));
        self::assertSame($values, $cache->getMany(array_keys($values)));
        self::assertSame($values['k30'], $cache->get('k30'));
    }

    private static function needs(string ...$libraries): void
    {
        foreach (['Psr/Log/autoload.php', ...$libraries] as $library) {
            if ((@include_once $library) === false) {
                self::markTestSkipped("$library is not installed");
            }
        }
    }

    // --- The client ---

    public function testValuesGoRound(): void
    {
        $file = ['tls_ca_file' => self::$fleet->caFile];
        self::assertGoesRound(self::made(self::$fleet->endpoint, []));
        self::assertGoesRound(self::made('elasticaches://' . self::$fleet->address, $file));
        self::assertGoesRound(self::made(self::$fleet->address, ['tls' => true] + $file));
    }

    public function testWhoTrustsAnotherAuthorityIsToldWhy(): void
    {
        $node = $this->client()->nodes()[0];
        $kinds = [self::$fleet->address => DiscoveryError::class, "static://$node" => NodeDown::class];
        foreach ($kinds as $endpoint => $kind) {
            $error = $this->thrown($kind, fn () => self::made($endpoint, ['tls' => true])->get('k'));
            self::assertStringContainsString(substr($endpoint, -strlen('localhost:12345')), $error->getMessage());
            self::assertMatchesRegularExpression(self::REASON, $error->getMessage());
        }
        $nowhere = ['tls_ca_file' => '/nowhere.pem'];
        $this->thrown(BadOption::class, fn () => self::made('elasticaches://localhost', $nowhere));
    }

    // --- The words of Amazon's client ---

    /** As (array) of its MemcachedTLSContextConfig. @param array<string, mixed> $set @return array<string, mixed> */
    private static function amazons(array $set): array
    {
        return $set + ['OPT_USE_TLS' => 1, 'ca_cert_file' => self::$fleet->caFile, 'cert_file' => null,
            'key_file' => null, 'key_file_pass' => null, 'ca_cert_dir' => null, 'hostname' => null, 'protocol' => null,
            'ciphers' => null, 'ciphersuites' => null, 'prefer_server_ciphers' => false, 'skip_cert_verify' => false,
            'skip_hostname_verify' => false];
    }

    public function testNamesOfAmazonsClient(): void
    {
        foreach ([[], ['hostname' => 'localhost'], ['ca_cert_file' => null, 'skip_cert_verify' => true],
            ['hostname' => '*.example', 'skip_cert_verify' => true, 'skip_hostname_verify' => true],
            ['OPT_CLIENT_MODE' => 'dynamic', 'preset' => 'aws-php']] as $set) {
            self::assertGoesRound(self::made(self::$fleet->address, self::amazons($set)));
        }
        $wrong = [
            '/the certificate is for localhost, 127.0.0.1, not for \*\.example/' => ['hostname' => '*.example'],
            self::REASON => ['ca_cert_file' => null],
            '/^skip_hostname_verify: /' => ['skip_hostname_verify' => true],
            '/^key_file_pass: /' => ['key_file_pass' => 'secret'],
            '/^protocol: /' => ['protocol' => 'TLSv1.2'],
            '/tls_key_file .* tls_cert_file/' => ['key_file' => '/key'],
        ];
        foreach ($wrong as $reason => $set) {
            $error = $this->thrown(ExceptionInterface::class,
                fn () => self::made(self::$fleet->address, self::amazons($set))->get('k'));
            self::assertMatchesRegularExpression($reason, $error->getMessage());
            self::assertStringNotContainsString('secret', $error->getMessage());
        }
        $ciphers = self::amazons(['ciphers' => 'ALL']);
        $this->thrown(Unsupported::class, fn () => self::made(self::$fleet->address, $ciphers));
        $plain = self::made(self::$fleet->address, self::amazons(['OPT_USE_TLS' => false]));
        $error = $this->thrown(DiscoveryError::class, fn () => $plain->get('k'));
        self::assertDoesNotMatchRegularExpression(self::REASON, $error->getMessage());
    }

    // --- The adapters ---

    public function testSimpleCache(): void
    {
        self::needs('Psr/SimpleCache/autoload.php');
        $cache = new SimpleCache($this->client());
        self::assertTrue($cache->setMultiple(['a' => [1], 'b' => null]));
        self::assertSame(['a' => [1], 'b' => null], $cache->getMultiple(['a', 'b'], 'none'));

        $stranger = new SimpleCache(self::made('elasticaches://' . self::$fleet->address, []));
        [$logger, $lines] = $this->log();
        $stranger->setLogger($logger);
        self::assertSame(['none', false], [$stranger->get('a', 'none'), $stranger->set('a', 2)]);
        self::assertMatchesRegularExpression(self::REASON, $lines[0]);
    }

    public function testSymfony(): void
    {
        self::needs('Symfony/Component/Cache/autoload.php');
        $pool = static fn (string $dsn): ShoalAdapter => new ShoalAdapter(ShoalAdapter::createConnection($dsn), 'ns');
        $ca = rawurlencode(self::$fleet->caFile);
        $plain = 'shoal://' . self::$fleet->address;
        foreach (['shoal://' . self::$fleet->endpoint, "$plain?tls=true&tls_ca_file=$ca"] as $dsn) {
            self::assertTrue($pool($dsn)->save($pool($dsn)->getItem('k')->set([$dsn])));
            self::assertSame([$dsn], $pool($dsn)->getItem('k')->get());
        }

        $stranger = $pool('shoal://elasticaches://' . self::$fleet->address);
        [$logger, $lines] = $this->log();
        $stranger->setLogger($logger);
        self::assertFalse($stranger->getItem('k')->isHit());
        self::assertFalse($stranger->save($stranger->getItem('k')->set(1)));
        self::assertMatchesRegularExpression(self::REASON, $lines[0]);
    }

    public function testLaravel(): void
    {
        self::needs('Illuminate/Support/autoload.php', 'Illuminate/Cache/autoload.php',
            'Illuminate/Config/autoload.php', 'Illuminate/Container/autoload.php', 'Illuminate/Events/autoload.php');
        [$logger, $lines] = $this->log();
        $repository = static function (array $store) use ($logger) {
            $app = new Container();
            $app->instance('config', new Config(['cache' => ['default' => 'shoal', 'prefix' => 'app',
                'stores' => ['shoal' => ['driver' => 'shoal'] + $store]]]));
            $app->instance('log', $logger);
            (new CacheServiceProvider($app))->register();
            (new ShoalServiceProvider($app))->register();

            return $app->make('cache')->store();
        };
        $file = ['tls_ca_file' => self::$fleet->caFile];
        foreach ([['endpoint' => self::$fleet->endpoint],
            ['endpoint' => 'elasticaches://' . self::$fleet->address, 'options' => $file],
            ['endpoint' => self::$fleet->address, 'options' => self::amazons([])]] as $i => $store) {
            $cache = $repository($store);
            self::assertTrue($cache->put('k', [$i], 100));
            self::assertSame([$i], $repository($store)->get('k'));
            self::assertCount(2, $cache->getStore()->getClient()->nodes());
        }

        $stranger = $repository(['endpoint' => 'elasticaches://' . self::$fleet->address]);
        self::assertSame([null, false], [$stranger->get('k'), $stranger->put('k', 1, 100)]);
        self::assertMatchesRegularExpression(self::REASON, $lines[0]);
    }

    public function testSessions(): void
    {
        $request = fn (string $code, string $caFile): string => $this->runScript("
            ini_set('session.use_cookies', '0');
            ini_set('session.cache_limiter', '');
            \$client = new Shoal\\Client('elasticaches://' . \$argv[2], ['tls_ca_file' => \$argv[3]]);
            session_set_save_handler(new Shoal\\SessionHandler(\$client), true);
            session_id('one');
            session_start();
            $code", self::$fleet->address, $caFile);
        self::assertSame('', $request('$_SESSION["user"] = "Ada";', self::$fleet->caFile));
        self::assertSame('Ada', $request('echo $_SESSION["user"];', self::$fleet->caFile));
        $said = $request('echo count($_SESSION);', '');
        self::assertStringEndsWith('0', $said);
        self::assertMatchesRegularExpression(self::REASON, $said);
    }
}
