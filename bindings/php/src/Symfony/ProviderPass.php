<?php

declare(strict_types=1);

namespace Shoal\Symfony;

use Symfony\Component\DependencyInjection\ChildDefinition;
use Symfony\Component\DependencyInjection\Compiler\CompilerPassInterface;
use Symfony\Component\DependencyInjection\ContainerBuilder;
use Symfony\Component\DependencyInjection\Definition;

/**
 * Makes clients of the DSNs that Shoal's pools have as providers; one DSN is one client.
 *
 * @internal
 */
final class ProviderPass implements CompilerPassInterface
{
    public function process(ContainerBuilder $container): void
    {
        foreach (array_keys($container->findTaggedServiceIds('cache.pool')) as $id) {
            $pool = $container->getDefinition($id);
            if (self::isOurs($container, $pool)) {
                $tags = $pool->getTags();
                foreach ($tags['cache.pool'] as &$tag) {
                    $tag = self::withClient($container, $tag);
                }
                $pool->setTags($tags);
            }
        }
    }

    private static function isOurs(ContainerBuilder $container, Definition $pool): bool
    {
        while ($pool->getClass() === null && $pool instanceof ChildDefinition) {
            $pool = $container->findDefinition($pool->getParent());
        }

        return $pool->getClass() === ShoalAdapter::class;
    }

    /**
     * @param  array<string, mixed> $tag
     * @return array<string, mixed>
     */
    private static function withClient(ContainerBuilder $container, array $tag): array
    {
        $provider = $tag['provider'] ?? null;
        if ($provider === null) {
            return $tag;
        }
        $provider = $container->getParameterBag()->resolveValue($provider);
        $container->resolveEnvPlaceholders($provider, null, $variables);
        if (!empty($variables) || preg_match('#^[a-z]+:#', $provider) === 1) {
            $tag['provider'] = '.shoal.client.' . ContainerBuilder::hash($provider);
            $container->setDefinition($tag['provider'], ShoalExtension::client($provider));
        }

        return $tag;
    }
}
