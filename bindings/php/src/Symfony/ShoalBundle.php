<?php

declare(strict_types=1);

namespace Shoal\Symfony;

use Symfony\Component\DependencyInjection\Compiler\PassConfig;
use Symfony\Component\DependencyInjection\ContainerBuilder;
use Symfony\Component\DependencyInjection\Extension\ExtensionInterface;
use Symfony\Component\HttpKernel\Bundle\Bundle;

/**
 * Gives Symfony's cache configuration the adapter `cache.adapter.shoal`, whose provider is a DSN or a service.
 *
 *     framework:
 *         cache:
 *             pools:
 *                 app.products: { adapter: cache.adapter.shoal, provider: 'shoal://my-cluster.cfg.use1:11211' }
 *     shoal:
 *         default_provider: '%env(SHOAL_DSN)%'    # for pools without a provider
 */
final class ShoalBundle extends Bundle
{
    /** Before Symfony's own pass reads the pools: it knows no DSNs but its own. */
    private const PRIORITY = 64;

    public function build(ContainerBuilder $container): void
    {
        $container->addCompilerPass(new ProviderPass(), PassConfig::TYPE_BEFORE_OPTIMIZATION, self::PRIORITY);
    }

    public function getContainerExtension(): ?ExtensionInterface
    {
        return new ShoalExtension();
    }
}
