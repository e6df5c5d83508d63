/** The contract as a page and as JSON. It holds no data, so like any static file it needs no caller. */
import { Router } from 'express';
import { serve, setup } from 'swagger-ui-express';
import { readDocument } from '../../../openapi/document.ts';

/** By mount path, for `AppDeps.pages`. */
export function createDocs(): Readonly<Record<string, Router>> {
  const text = JSON.stringify(readDocument());
  const contract = Router();
  contract.get('/', (_request, response) => {
    response.set('Cache-Control', 'no-cache').type('application/json').send(text);
  });
  const docs = Router();
  docs.use((_request, response, next) => {
    // Swagger UI styles its elements itself and draws icons from data URLs; nothing comes from elsewhere.
    response.set({
      'Cache-Control': 'no-cache',
      'Content-Security-Policy':
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
    });
    next();
  });
  docs.use(serve, setup(undefined, { swaggerOptions: { url: '/openapi.json' }, customSiteTitle: 'Hutong 互通 API' }));
  return { '/openapi.json': contract, '/docs': docs };
}
