<?php

/** What fails and how it is told, hostile use, options. May use: PHPUnit and Shoal. */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/FleetTestCase.php';

use Shoal\Client;
use Shoal\Exception\BadEndpoint;
use Shoal\Exception\BadOption;
use Shoal\Exception\Closed;
use Shoal\Exception\ExceptionInterface;
use Shoal\Exception\InvalidArgument;
use Shoal\Exception\NodeDown;
use Shoal\Exception\Timeout;
use Shoal\Exception\Unsupported;

final class ErrorsTest extends FleetTestCase
{
    protected const NODES = 2;

    public function testANodeThatIsDown(): void
    {
        $cache = new Client('static://127.0.0.1:1');
        $error = $this->thrown(NodeDown::class, fn () => $cache->get('k'));
        self::assertInstanceOf(ExceptionInterface::class, $error);
        self::assertInstanceOf(\RuntimeException::class, $error);
        self::assertSame(['127.0.0.1:1', true, false, null, SHOAL_E_NODE_DOWN], [$error->getNode(), $error->isRetriable(),
            $error->isOutcomeUnknown(), $error->getPartial(), $error->getCode()]);
        self::assertSame(__FILE__, $error->getTrace()[1]['file']);
        self::assertNull((new Client('static://127.0.0.1:1', ['on_node_failure' => 'miss']))->get('k'));
    }

    public function testAFrozenNode(): void
    {
        $frozen = new Memcached();
        $cache = new Client([$frozen->name, self::$servers[0]->name], ['operation_timeout_ms' => 1000]);
        $keys = array_map(fn ($i) => "k$i", range(1, 40));
        $cache->setMany(array_fill_keys($keys, 'v'));
        $frozen->freeze();
        $error = $this->thrown(Timeout::class, fn () => $cache->getMany($keys));
        self::assertSame($frozen->name, $error->getNode());
        $rest = $error->getPartial();
        self::assertNotEmpty($rest);
        self::assertLessThan(40, count($rest));
        $left = $cache->setMany(array_fill_keys($keys, 'w'));
        self::assertEqualsCanonicalizing($keys, [...$left, ...array_keys($rest)]);
        $frozen->stop();
    }

    public function testUseAfterClose(): void
    {
        $cache = $this->client();
        $other = $this->client();
        $cache->set('k', 'v');
        $cache->close();
        $cache->close();
        $calls = [fn () => $cache->get('k'), fn () => $cache->gets('k'), fn () => $cache->set('k', 'v'),
            fn () => $cache->getMany(['k']), fn () => $cache->setMany(['k' => 'v']), fn () => $cache->deleteMany(['k']),
            fn () => $cache->increment('k'), fn () => $cache->touch('k', 0), fn () => $cache->getAndTouch('k', 0),
            fn () => $cache->delete('k'), $cache->stats(...), $cache->nodes(...), $cache->flushAll(...),
            fn () => $cache->route('k'), fn () => $cache->getMany([])];
        foreach ($calls as $call) {
            $this->thrown(Closed::class, $call);
        }
        self::assertSame('v', $other->get('k'));
    }

    public function testHostileUse(): void
    {
        $cache = $this->client();
        $this->thrown(InvalidArgument::class, fn () => serialize($cache));
        $this->thrown(InvalidArgument::class, fn () => unserialize('O:12:"Shoal\Client":0:{}'));
        $this->thrown(\Error::class, fn () => clone $cache);
        $this->thrown(\Error::class, fn () => $cache->handle = null);
        $this->thrown(\Error::class, fn () => $cache->__construct('static://127.0.0.1:1'));
        $empty = (new \ReflectionClass(Client::class))->newInstanceWithoutConstructor();
        foreach ([fn () => $empty->get('k'), fn () => $empty->setMany(['k' => 'v']), $empty->close(...)] as $call) {
            $this->thrown(\Error::class, $call);
        }
        foreach ([$cache, [$cache]] as $value) {
            $this->thrown(\Throwable::class, fn () => $this->client(['codec' => 'php'])->set('k', $value));
        }
        self::assertNull($cache->get('k'));
        self::assertStringContainsString('Native\Client', print_r($cache, true));
    }

    public function testOptionsReachTheCore(): void
    {
        $cache = $this->client(['key_prefix' => 'p:', 'binary_keys' => false, 'retry_budget' => 0.2, 'lane_idle_s' => null,
            'protocol' => 'libmemcached', 'allow_nodes' => ['127.0.0.0/8', '*.example']]);
        $cache->set('k', 'v');
        $names = array_column(self::$servers, 'name');
        self::assertContains('v', array_map(fn ($name) => (new Client("static://$name"))->get('p:k'), $names));
        self::assertSame($names, (new Client($names, ['preset' => 'php-memcached']))->nodes());
    }

    public function testWrongOptionsAreTold(): void
    {
        $error = $this->thrown(BadOption::class, fn () => $this->client(['key_prefx' => 'p:']));
        self::assertStringContainsString('key_prefix', $error->getMessage());
        $error = $this->thrown(BadOption::class, fn () => $this->client(['preset' => 'php-memcache']));
        self::assertStringContainsString('php-memcached', $error->getMessage());
        $this->thrown(BadOption::class, fn () => $this->client(['operation_timeout_ms' => 'soon']));
        $this->thrown(BadOption::class, fn () => $this->client(['operation_timeout_ms' => new \stdClass()]));
        $this->thrown(BadOption::class, fn () => $this->client([5 => true]));
        $this->thrown(BadEndpoint::class, fn () => new Client('nonsense://x'));
        $this->thrown(\ValueError::class, fn () => $this->client(['key_prefix' => "a\0b"]));
        $this->thrown(\TypeError::class, fn () => new Client(5));
    }

    public function testNamesOfAmazonsClient(): void
    {
        $name = self::$servers[0]->name;
        $static = new Client($name, ['OPT_CLIENT_MODE' => 'static', 'OPT_USE_TLS' => false, 'skip_cert_verify' => false,
            'skip_hostname_verify' => false]);
        self::assertSame([$name], $static->nodes());
        $dynamic = new Client($name, ['OPT_CLIENT_MODE' => 'dynamic', 'OPT_DYNAMIC_POLLING_INTERVAL_SECS' => 30]);
        self::assertSame([$name], $dynamic->nodes());
        foreach ([['OPT_CLIENT_MODE' => 5], ['OPT_DYNAMIC_POLLING_INTERVAL_SECS' => 0],
            ['OPT_DYNAMIC_POLLING_INTERVAL_SECS' => '60'],
            ['OPT_DYNAMIC_POLLING_INTERVAL_SECS' => 60, 'discovery_interval_ms' => 5]] as $options) {
            $this->thrown(BadOption::class, fn () => new Client($name, $options));
        }
        $this->thrown(Unsupported::class, fn () => new Client($name, ['skip_hostname_verify' => true]));
    }
}
